/** One ejabberd node in its container: `node ejabberd-node.ts users|agents|avatars`, with a name server for its look-ups. */
import { spawn } from "node:child_process";
import { resolveSrv } from "node:dns/promises";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { answersTcp, retryUntil } from "../answers.ts";
import { type NodeSettings, startNode } from "../ejabberd/node-process.ts";
import { ROLES, type Role, roleDomain } from "../ejabberd/roles.ts";
import { startSrvResponder } from "../ejabberd/srv-responder.ts";
import { epmd } from "../epmd.ts";
import { DATA, domainIn, hostOfDomain, PORTS, SHARED } from "./places.ts";

const role = process.argv[2] as Role;
if (!ROLES.includes(role)) throw new Error(`usage: ejabberd-node.ts ${ROLES.join("|")}`);
const domain = domainIn(process.env);

const all = JSON.parse(readFileSync(join(SHARED, "ejabberd", "nodes.json"), "utf8")) as Record<
  Role,
  NodeSettings
>;
const logFile = join(DATA, "log", "ejabberd.log");
mkdirSync(dirname(logFile), { recursive: true });
const settings = { ...all[role], dataFolder: DATA, logFile };

const served = Object.fromEntries(ROLES.map((one) => [roleDomain(one, domain), PORTS.s2s]));
const srv = await startSrvResponder(PORTS.srv, served, resolveSrv, (name) => hostOfDomain(name, domain));
const { command, args, env } = epmd(PORTS.epmd);
const names = spawn(command, args, { env, stdio: ["ignore", "inherit", "inherit"] });
await retryUntil(AbortSignal.timeout(10_000), () => answersTcp(PORTS.epmd));
const node = await startNode(settings);
process.stdout.write(`ejabberd ${role} is up, for ${roleDomain(role, domain)}\n`);

let isStopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => {
    isStopping = true;
    void node.stop();
  });
await node.ended;
names.kill();
await srv.stop();
process.exit(isStopping ? 0 : 1);
