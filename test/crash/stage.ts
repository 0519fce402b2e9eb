/** What a scenario plays on: one installation with a proxy on every link, and hands on all of its processes. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { eventually } from "@tidings/testkit";
import type { Role } from "../../run/ejabberd/nodes.ts";
import { type Stack, startStack } from "../../run/stack.ts";
import type { ProcessSpec } from "../../run/supervised.ts";
import { CrashOrders } from "./crash-orders.ts";
import { Links } from "./links.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { NumberedFeed } from "./numbered-feed.ts";
import { Probe } from "./probe.ts";
import { Subscriber } from "./subscriber.ts";

export interface StageOptions {
  /** State folder, absolute. */
  readonly home: string;
  /** Number of avatar hosts; default 2. */
  readonly hosts?: number;
  /** Between two checkpoints of a shard (seconds); default 4. */
  readonly checkpointSeconds?: number;
  /** Hears what happens to the processes. */
  readonly tell: (line: string) => void;
}

/** Base domain of every stage. */
export const DOMAIN = "crash.localhost";

/** Processes that are killed again and again must not wait longer for each time (milliseconds). */
const BACK_OFF = { firstMs: 200, maxMs: 1_000 };
const MONITOR_STOP_MS = 5_000;
/** Checkpoints that come every few seconds are struck by the faults like everything else. */
const CHECKPOINT_SECONDS = 4;

export class Stage {
  readonly stack: Stack;
  readonly links: Links;
  readonly orders: CrashOrders;
  readonly probe: Probe;
  readonly memory: MemoryWatch;
  /** Processes of avatar hosts, such as `avatar-host-h1`. */
  readonly hosts: readonly string[];
  /** Hears what happens. */
  readonly tell: (line: string) => void;
  /** All supervised processes but ejabberd's, and but the monitor. */
  readonly processes: readonly string[];
  readonly #leftovers: (() => Promise<void>)[] = [];
  readonly #held = new Set<string>();
  #people = 0;

  private constructor(
    stack: Stack,
    links: Links,
    orders: CrashOrders,
    probe: Probe,
    hosts: readonly string[],
    tell: (line: string) => void,
  ) {
    this.tell = tell;
    this.stack = stack;
    this.links = links;
    this.orders = orders;
    this.probe = probe;
    this.hosts = hosts;
    this.processes = [...hosts, "ingest-rss", "agent-xmpp", "web-api", "rabbitmq", "dynalite"];
    this.memory = new MemoryWatch(probe, this.processes);
  }

  /** Starts the installation. Rejects with the sentence of startStack. */
  static async open(options: StageOptions): Promise<Stage> {
    const { home, hosts = 2, checkpointSeconds = CHECKPOINT_SECONDS, tell } = options;
    const names = Array.from({ length: hosts }, (_, at) => `h${at + 1}`);
    const processes = names.map((name) => `avatar-host-${name}`);
    const orders = new CrashOrders(join(home, "crash-points"), processes);
    const links = new Links();
    let brokerEnv: NodeJS.ProcessEnv = {};
    const adapt = async (spec: ProcessSpec): Promise<ProcessSpec> => {
      if (spec.name === "rabbitmq") brokerEnv = spec.env;
      const env = spec.ipc && spec.name !== "dynalite" ? await links.through(spec.name, spec.env) : spec.env;
      return {
        ...spec,
        backOff: BACK_OFF,
        env: {
          ...env,
          TIDINGS_CRASH_POINTS: orders.folderOf(spec.name),
          TIDINGS_CHECKPOINT_SECONDS: String(checkpointSeconds),
        },
      };
    };
    const stack = await startStack({
      home,
      hosts,
      hostsMost: hosts + 1,
      domain: DOMAIN,
      webPort: "free",
      xmppPort: "free",
      pollMinSeconds: 1,
      fetchAllow: "127.0.0.0/8",
      adapt,
      tell,
    });
    // It would start what a scenario holds down; those that are about it start it themselves.
    await stack.service("monitor").stop(MONITOR_STOP_MS);
    const authority = readFileSync(join(home, "ca.crt"), "utf8");
    setDefaultCACertificates([...getCACertificates("default"), authority]);
    return new Stage(stack, links, orders, await Probe.open(stack, names, brokerEnv), processes, tell);
  }

  /** `kill -9`; its supervisor starts it again. */
  kills(process: string): void {
    this.stack.service(process).kill("SIGKILL");
  }

  /** `kill -9`; resolves when it is dead. Nothing starts it again until `starts`. */
  async holds(process: string): Promise<void> {
    this.#held.add(process);
    this.kills(process);
    await this.stack.service(process).stop(0);
  }

  /** Starts what was held; resolves when it is ready. */
  async starts(process: string): Promise<void> {
    if (this.#held.delete(process)) await this.stack.service(process).start();
  }

  /** Folder of the shards' files of a host. */
  folderOf(host: string): string {
    return join(this.stack.home, "hosts", nameOfHost(host));
  }

  /** The returned function tells what the process has logged since now. */
  logsOf(process: string): () => string {
    const path = join(this.stack.home, "logs", `${process}.log`);
    const before = statSync(path).size;
    return () => readFileSync(path).subarray(before).toString("utf8");
  }

  /** Asks it to stop in order; its supervisor starts it again. */
  stops(process: string): void {
    this.stack.service(process).kill("SIGTERM");
  }

  /** The process stands still until `resumes`. */
  pauses(process: string): void {
    this.stack.service(process).kill("SIGSTOP");
  }

  resumes(process: string): void {
    this.stack.service(process).kill("SIGCONT");
  }

  /** `kill -9` for a node of ejabberd, and a new start; resolves when it is up again. */
  async restartsNode(role: Role): Promise<void> {
    await this.stack.ejabberd.kill(role);
    await this.stack.ejabberd.restart(role);
  }

  /**
   * What `work` resolves to while the monitor runs, which is away otherwise, with `settings` beside its own. The probe is not on
   * the bus meanwhile: the monitor has its address.
   */
  async monitored<T>(work: () => Promise<T>, settings: Readonly<Record<string, string>> = {}): Promise<T> {
    const monitor = this.stack.service("monitor");
    await this.probe.leaves();
    try {
      await monitor.start(settings);
      return await work();
    } finally {
      await monitor.stop(MONITOR_STOP_MS);
      await this.probe.joins();
    }
  }

  /** Signs somebody up under a name that begins with `name`. */
  async person(name: string): Promise<Subscriber> {
    const { webUrl, domain, ejabberd } = this.stack;
    const unique = `${name}-${Date.now().toString(36)}${(this.#people++).toString(36)}`;
    const person = await Subscriber.signsUp({ name: unique, webUrl, domain, clientUrl: ejabberd.clientUrl });
    this.#leftovers.push(() => person.vanishes());
    return person;
  }

  /** Opens a feed without items. */
  async feed(name: string): Promise<NumberedFeed> {
    const feed = await NumberedFeed.open(name);
    this.#leftovers.push(() => feed.close());
    return feed;
  }

  /** Resolves when every process runs, also what was held, and no link is bad any more. */
  async recovers(): Promise<void> {
    this.links.heal();
    for (const name of this.processes) this.resumes(name);
    await Promise.all([...this.#held].map((process) => this.starts(process)));
    await Promise.all(this.processes.map((name) => this.stack.service(name).whenRunning()));
    const roles: readonly Role[] = ["users", "agents", "avatars"];
    await eventually(
      () => {
        const down = roles.filter((role) => this.stack.ejabberd.pid(role) === null);
        if (down.length > 0) throw new Error(`ejabberd ${down.join(", ")} is down`);
      },
      { withinMs: 60_000 },
    );
  }

  /** What was seen so far is another play's. */
  beginsPlay(): void {
    this.memory.restart();
    this.links.effects.restart();
    this.links.acks.restart();
  }

  /** Removes all people and feeds of the last scenario. Rejects with the first failure, after all. */
  async clears(): Promise<void> {
    const results = await Promise.allSettled(
      this.#leftovers
        .splice(0)
        .reverse()
        .map((clear) => clear()),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  async close(): Promise<void> {
    this.memory.close();
    await this.probe.leaves();
    await this.stack.stop();
    await this.links.close();
  }
}

/** `h1` of `avatar-host-h1`. */
export function nameOfHost(process: string): string {
  return process.replace("avatar-host-", "");
}
