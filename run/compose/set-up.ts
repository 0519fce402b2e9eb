/**
 * What all containers share, made once: certificates, secrets, the configuration of the ejabberd nodes. Runs before all
 * others, and changes nothing that is there.
 */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAuthority } from "../ejabberd/authority.ts";
import { prepare } from "../ejabberd/prepare.ts";
import { secretIn } from "../secrets.ts";
import { AMQP_PASSWORD_FILE, ANY_ADDRESS, domainIn, NODE_PORTS, SHARED } from "./places.ts";

const domain = domainIn(process.env);
mkdirSync(SHARED, { recursive: true });
const settings = await prepare({
  home: SHARED,
  domain,
  tag: "compose",
  ports: NODE_PORTS,
  listenAddress: ANY_ADDRESS,
});
const nodes = join(SHARED, "ejabberd", "nodes.json");
writeFileSync(nodes, JSON.stringify(settings), { mode: 0o600 });
const authority = await openAuthority(SHARED);
await authority.issue("mail", [process.env.TIDINGS_MAIL_DOMAIN || `in.${domain}`]);
for (const name of ["operator", "websub", "mail", "host-control"]) secretIn(join(SHARED, "secrets", name));
secretIn(AMQP_PASSWORD_FILE);
// Clients outside trust it: it is no secret, unlike what lies beside it.
cpSync(authority.path, join(SHARED, "public-ca.crt"));
process.stdout.write(`the installation ${domain} is set up in ${SHARED}\n`);
