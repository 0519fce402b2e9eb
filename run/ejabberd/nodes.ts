/**
 * The three ejabberd nodes of an installation on one machine.
 *
 *     <home>/ca.crt  tls/  secrets/<component domain>
 *     <home>/ejabberd/modules  .erlang.cookie  inetrc  <role>/{ejabberd.yml,mnesia}
 *     <home>/logs/ejabberd-<role>/ejabberd.log
 */
import { resolveSrv } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { NodeSet } from "./node-set.ts";
import { type PrepareOptions, prepare } from "./prepare.ts";
import { ROLES, type Role, roleDomain } from "./roles.ts";
import { checkMechanisms } from "./self-check.ts";
import { type SrvResponder, startSrvResponder } from "./srv-responder.ts";

export type { EjabberdPorts } from "./configuration.ts";
export type { Role } from "./roles.ts";

export interface EjabberdOptions extends PrepareOptions {
  /** Hears in a line what happens. */
  log(line: string): void;
}

export interface Ejabberd {
  /** `xmpp://127.0.0.1:<port>`, for components (TIDINGS_BUS_URL). */
  readonly busUrls: { readonly agents: string; readonly avatars: string };
  /** `xmpp://127.0.0.1:<port>`, for clients of the users cluster. */
  readonly clientUrl: string;
  /** Path of the certificate that clients trust. */
  readonly ca: string;
  /** Look-ups of other servers; tests add foreign ones. */
  readonly srv: SrvResponder;
  /** The file with the password of a component (TIDINGS_BUS_PASSWORD_FILE). */
  passwordFile(component: string): string;
  /** Process id of a node; null while it is down. */
  pid(role: Role): number | null;
  /** SIGKILL; the node stays down until `restart`. For tests. */
  kill(role: Role): Promise<void>;
  /** Stops the node in order if it runs, and starts it again. Rejects when it does not come up. */
  restart(role: Role): Promise<void>;
  /** Ends all nodes and the responder. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Renders, compiles and starts. An existing state folder is used again: accounts and epochs survive. A node that dies
 * is started again after a second. Rejects with a sentence when something is missing or does not come up; nothing is
 * left running then.
 */
export async function startEjabberd(options: EjabberdOptions): Promise<Ejabberd> {
  const settings = await prepare(options);
  const { domain, ports, home } = options;
  const servers = ROLES.map((role) => [roleDomain(role, domain), ports[role].s2s]);
  const srv = await startSrvResponder(ports.srv, Object.fromEntries(servers), resolveSrv);
  const nodes = new NodeSet(settings, options.log);
  const starts = ROLES.map((role) => nodes.start(role));
  try {
    await Promise.all(starts);
    await checkMechanisms(domain, ports.users.c2s, await trusted(options));
  } catch (error) {
    await nodes.stop();
    // One that was still starting ends itself then.
    await Promise.allSettled(starts);
    await srv.stop();
    throw error;
  }
  return {
    busUrls: { agents: url(ports.agents.component), avatars: url(ports.avatars.component) },
    clientUrl: url(ports.users.c2s),
    ca: join(home, "ca.crt"),
    srv,
    passwordFile: (component) => join(home, "secrets", component),
    pid: (role) => nodes.pid(role),
    kill: (role) => nodes.kill(role),
    restart: (role) => nodes.restart(role),
    stop: async () => {
      await nodes.stop();
      await srv.stop();
    },
  };
}

function url(port: number): string {
  return `xmpp://127.0.0.1:${port}`;
}

/** What the users cluster's certificate is checked against: the one given for it, or else our authority. */
function trusted({ home, tlsDir, domain }: EjabberdOptions): Promise<string> {
  return readFile(tlsDir === undefined ? join(home, "ca.crt") : join(tlsDir, `${domain}.crt`), "utf8");
}
