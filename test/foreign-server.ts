/**
 * A server of somebody else: Prosody on loopback, federated with a running installation. The installation finds it
 * through its responder to SRV look-ups; it finds the installation by a table of ports, because the resolver that Prosody
 * is built on answers for `localhost` by itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { join } from "node:path";
import { eventually } from "@tidings/testkit";
import type { Authority, Certificate } from "../run/ejabberd/authority.ts";
import type { SrvResponder } from "../run/ejabberd/srv-responder.ts";
import { freePort } from "./theatre/free-port.ts";

export interface ForeignServerOptions {
  /** Folder for all that the server keeps; the caller removes it. */
  readonly home: string;
  /** Such as `foreign.localhost`. */
  readonly domain: string;
  /** The responder of the installation; it learns the foreign domain. */
  readonly srv: SrvResponder;
  /**
   * Who signs the server's certificate, and whom it trusts itself. With the installation's authority the servers prove
   * themselves by certificate (XEP-0178), with another one by dialback (XEP-0220).
   */
  readonly authority: Authority;
  /** User name → password. */
  readonly users: Readonly<Record<string, string>>;
  /** Given: everybody whom one could name is there, and this file says what they are sent; see prosody/mod_crowd.lua. */
  readonly crowdFile?: string;
}

export interface ForeignServer {
  readonly domain: string;
  /** `xmpp://127.0.0.1:<port>` for its clients. */
  readonly clientUrl: string;
  /** Ends it and makes the installation forget its domain. */
  stop(): Promise<void>;
}

/** Starts the server. Rejects when it does not accept connections within 10 s. */
export async function startForeignServer(options: ForeignServerOptions): Promise<ForeignServer> {
  const { home, domain, srv, authority, users, crowdFile = null } = options;
  const [c2s, s2s] = [await freePort(), await freePort()];
  await mkdir(home, { recursive: true });
  await writeUsers(home, domain, users);
  const pair = await authority.issue(domain, [domain]);
  const file = join(home, "prosody.cfg.lua");
  await writeFile(
    file,
    configuration({ home, domain, c2s, s2s, ports: srv.domains, pair, ca: authority.path, crowdFile }),
  );
  const child = spawn("prosody", ["--config", file, "-F"], { stdio: "ignore" });
  const stop = async () => {
    srv.remove(domain);
    await ended(child);
  };
  try {
    await Promise.all([c2s, s2s].map((port) => eventually(() => accepts(port))));
  } catch (error) {
    await stop();
    throw new Error(`prosody does not accept connections; see ${join(home, "prosody.log")}`, {
      cause: error,
    });
  }
  srv.add(domain, s2s);
  return { domain, clientUrl: `xmpp://127.0.0.1:${c2s}`, stop };
}

interface Settings {
  readonly home: string;
  readonly domain: string;
  readonly c2s: number;
  readonly s2s: number;
  /** Ports of the servers to federate with, by domain. */
  readonly ports: ReadonlyMap<string, number>;
  readonly pair: Certificate;
  readonly ca: string;
  readonly crowdFile: string | null;
}

function configuration({ home, domain, c2s, s2s, ports, pair, ca, crowdFile }: Settings): string {
  const q = (text: string) => JSON.stringify(text);
  return `
run_as_root = true
pidfile = ${q(join(home, "prosody.pid"))}
data_path = ${q(join(home, "data"))}
log = { debug = ${q(join(home, "prosody.log"))} }
interfaces = { "127.0.0.1" }
c2s_ports = { ${c2s} }
s2s_ports = { ${s2s} }
modules_enabled = { "roster", "saslauth", "tls", "dialback", "disco", "ping", "loopback_ports" }
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = true
s2s_require_encryption = true
s2s_secure_auth = false
plugin_paths = { ${q(join(import.meta.dirname, "prosody"))} }
loopback_ports = { ${[...ports].map(([name, port]) => `[${q(name)}] = ${port}`).join("; ")} }
VirtualHost ${q(domain)}
  ssl = { certificate = ${q(pair.certificate)}; key = ${q(pair.key)}; cafile = ${q(ca)}; capath = false }
${crowdFile === null ? "" : `  modules_enabled = { "crowd" }\n  crowd_file = ${q(crowdFile)}`}
`;
}

/** The way in which Prosody's internal storage keeps accounts: one Lua table a file, names escaped like URLs. */
async function writeUsers(
  home: string,
  domain: string,
  users: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = join(home, "data", domain.replaceAll(".", "%2e"), "accounts");
  await mkdir(folder, { recursive: true });
  for (const [name, password] of Object.entries(users)) {
    await writeFile(join(folder, `${name}.dat`), `return { ["password"] = ${JSON.stringify(password)} };\n`);
  }
}

function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const force = setTimeout(() => child.kill("SIGKILL"), 5_000);
    child.once("exit", () => {
      clearTimeout(force);
      resolve();
    });
    child.kill();
  });
}
