/** Three ejabberd nodes in a folder of their own, beside any other installation, for plays about the nodes themselves. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ejabberd, startEjabberd } from "../run/ejabberd/nodes.ts";
import { choosePorts, type Ports } from "../run/ports.ts";
import { tagOf } from "../run/tag.ts";

export interface LoneNodes {
  readonly ejabberd: Ejabberd;
  readonly home: string;
  readonly ports: Ports;
  /** Ends all and removes the folder. */
  stop(): Promise<void>;
}

/**
 * Starts the nodes of an installation with the base domain `domain`; `tlsDir` as in TIDINGS_TLS_DIR. Rejects when they do
 * not come up.
 */
export async function startLoneNodes(domain: string, tlsDir?: string): Promise<LoneNodes> {
  const home = await mkdtemp(join(tmpdir(), "tidings-nodes-"));
  const ports = await choosePorts(home);
  const epmd = spawn("epmd", ["-port", String(ports.epmd), "-address", "127.0.0.1"], { stdio: "ignore" });
  const clear = async () => {
    await ended(epmd);
    await rm(home, { recursive: true, force: true });
  };
  try {
    const ejabberd = await startEjabberd({
      home,
      domain,
      tag: tagOf(home),
      ports: {
        users: { c2s: ports.xmpp, s2s: ports.usersS2s },
        agents: { component: ports.agentsComponent, s2s: ports.agentsS2s },
        avatars: { component: ports.avatarsComponent, s2s: ports.avatarsS2s },
        srv: ports.srv,
        epmd: ports.epmd,
      },
      ...(tlsDir === undefined ? {} : { tlsDir }),
      log: () => undefined,
    });
    const stop = async () => {
      await ejabberd.stop();
      await clear();
    };
    return { ejabberd, home, ports, stop };
  } catch (error) {
    await clear();
    throw error;
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill();
  });
}
