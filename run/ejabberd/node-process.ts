/**
 * One ejabberd node as a child process: `erl` itself, because ejabberdctl insists on root or the ejabberd user.
 * The node ends when this process does: it watches its standard input (ejabberd/lifeline.erl).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 5_000;

/** A node did not come up; the message says where its log is. */
export class NodeStartError extends Error {
  override readonly name = "NodeStartError";
}

export interface NodeSettings {
  /** Erlang node name without the host, unique on this machine. */
  readonly name: string;
  /** Its configuration. */
  readonly folder: string;
  /** Mnesia and crash dumps: what has to outlive the node. */
  readonly dataFolder: string;
  readonly logFile: string;
  /** Folder of our compiled modules. */
  readonly modules: string;
  /** ERL_LIBS: where ejabberd lies. */
  readonly libraries: string;
  /** ERL_INETRC: the resolver's settings. */
  readonly resolverFile: string;
  /** Folder with `.erlang.cookie`, which keeps the cookie off the command line. */
  readonly cookieHome: string;
  readonly epmdPort: number;
  /** Ports of 127.0.0.1 that accept when the node is up. */
  readonly ports: readonly number[];
}

export interface NodeProcess {
  readonly pid: number;
  /** Resolves when the process has ended, however it did. */
  readonly ended: Promise<void>;
  /** Ends it in order; by force after 5 s. */
  stop(): Promise<void>;
  /** SIGKILL, for tests. */
  kill(): Promise<void>;
}

/** Starts the node and resolves when its ports accept. Rejects with {@link NodeStartError}. */
export async function startNode(settings: NodeSettings): Promise<NodeProcess> {
  const child = spawn("erl", nodeArguments(settings), {
    cwd: settings.dataFolder,
    env: nodeEnvironment(settings),
    stdio: ["pipe", "ignore", "ignore"],
    // A terminal's Ctrl-C must not reach it: it is stopped in order.
    detached: true,
  });
  const ended = endOf(child);
  const late = AbortSignal.timeout(START_DEADLINE_MS);
  const gone = new AbortController();
  void ended.then(() => gone.abort());
  try {
    for (const port of settings.ports) await untilAccepts(port, AbortSignal.any([late, gone.signal]));
  } catch (cause) {
    const what = gone.signal.aborted ? "ended" : "does not listen";
    await stop(child, ended);
    throw new NodeStartError(`ejabberd node ${settings.name} ${what} at start; see ${settings.logFile}`, {
      cause,
    });
  }
  return {
    pid: child.pid ?? 0,
    ended,
    stop: () => stop(child, ended),
    kill: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** Small tables, few threads and no busy waiting: three nodes share a machine with everything else. */
const VIRTUAL_MACHINE = [
  ...["+S", "2:2", "+SDcpu", "1:1", "+SDio", "2", "+A", "1", "+P", "65536", "+Q", "16384"],
  ...["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none", "+MBas", "aobf", "+MHas", "aobf"],
];

function nodeArguments(settings: NodeSettings): string[] {
  return [
    ...VIRTUAL_MACHINE,
    "-noinput",
    ...["-sname", `${settings.name}@localhost`, "-start_epmd", "false"],
    ...["-kernel", "inet_dist_use_interface", "{127,0,0,1}"],
    ...["-mnesia", "dir", JSON.stringify(join(settings.dataFolder, "mnesia"))],
    ...["-pa", settings.modules],
    ...["-s", "lifeline", "-s", "ejabberd"],
  ];
}

function nodeEnvironment(settings: NodeSettings): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LANG: "C.UTF-8",
    HOME: settings.cookieHome,
    ERL_LIBS: settings.libraries,
    ERL_INETRC: settings.resolverFile,
    ERL_EPMD_PORT: String(settings.epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_CRASH_DUMP: join(settings.dataFolder, "erl_crash.dump"),
    EJABBERD_CONFIG_PATH: join(settings.folder, "ejabberd.yml"),
    EJABBERD_LOG_PATH: settings.logFile,
  };
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
  await ended;
  clearTimeout(force);
}

/** Rejects when `signal` says so. */
async function untilAccepts(port: number, signal: AbortSignal): Promise<void> {
  while (!(await accepts(port))) await delay(50, undefined, { signal });
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    // Refused: nobody listens yet, which is what was asked.
    return false;
  } finally {
    socket.destroy();
  }
}
