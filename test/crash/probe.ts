/** Looks at what waits anywhere in the installation: as the monitor on the bus, and as a client of RabbitMQ. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { type Bus, connectComponent } from "@tidings/bus";
import {
  addressesOf,
  busChild,
  FIRST_SILO,
  hostAddress,
  POLL_PARTS,
  payload,
  QUEUES,
  SHARDS,
  xml,
} from "@tidings/protocol";
import { readSecret, silentLog } from "@tidings/runtime";
import { type Channel, connect } from "amqplib";
import { RABBITMQ_VHOST } from "../../run/rabbitmq-config.ts";
import type { Stack } from "../../run/stack.ts";

/** What the avatar router says of itself (ejabberd/README.md); figures count from its node's start. */
export interface RouterCounters {
  readonly refused_claims: number;
  readonly shards: readonly {
    readonly shard: number;
    readonly state: "unowned" | "claimed" | "serving";
    readonly epoch: number;
    /** Domain of the host that owns it, or owned it last. */
    readonly host: string;
    readonly spooled: number;
  }[];
}

/** What a host says of itself (services/avatar-host/src/status.ts). */
export interface HostStatus {
  readonly shards: number;
  readonly framesWaiting: number;
}

const ANSWER_WITHIN_MS = 3_000;
/** An Erlang node of its own has to start (milliseconds). */
const LISTED_WITHIN_MS = 30_000;
/** Debian's script; the one in /usr/sbin insists on root or on the user rabbitmq. */
const RABBITMQCTL = "/usr/lib/rabbitmq/bin/rabbitmqctl";
/** On loopback as the broker is, and with its epmd. */
const RABBITMQCTL_ARGUMENTS = "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false";

export class Probe {
  readonly #stack: Stack;
  readonly #hosts: readonly string[];
  readonly #brokerEnv: NodeJS.ProcessEnv;
  /** Null while the monitor itself is on the bus. */
  #bus: Bus | null = null;
  /** Wake signals that the router has sent for shards without an owner. */
  wakes = 0;

  private constructor(stack: Stack, hosts: readonly string[], brokerEnv: NodeJS.ProcessEnv) {
    [this.#stack, this.#hosts, this.#brokerEnv] = [stack, hosts, brokerEnv];
  }

  /** `hosts` are names such as `h1`; `brokerEnv` is what RabbitMQ was started with. */
  static async open(stack: Stack, hosts: readonly string[], brokerEnv: NodeJS.ProcessEnv): Promise<Probe> {
    const probe = new Probe(stack, hosts, brokerEnv);
    await probe.joins();
    return probe;
  }

  /** Takes the monitor's address on the bus. */
  async joins(): Promise<void> {
    const { domain: installation, passwordFile, busUrl } = this.#stack;
    const { monitor: domain } = addressesOf(installation);
    const password = await readSecret(passwordFile(domain));
    this.#bus = connectComponent({ url: busUrl("avatars"), domain, password, log: silentLog() });
    this.#bus.onStanza((stanza) => {
      if (busChild(stanza)?.name === "wake") this.wakes += 1;
    });
  }

  /** Leaves the address to the monitor. What is asked over the bus rejects until it joins again. */
  async leaves(): Promise<void> {
    await this.#bus?.stop();
    this.#bus = null;
  }

  /** Everything that must be 0 when nothing is under way; rejects while something does not answer. */
  async waiting(): Promise<Record<string, number>> {
    const [outboxes, spooled, queues] = await Promise.all([this.#outboxes(), this.spooled(), this.queues()]);
    return { ...outboxes, "the router's spool": spooled, ...queues };
  }

  /** Stanzas that wait at the router for an owner of their shard. */
  async spooled(): Promise<number> {
    return (await this.#shards()).reduce((sum, { spooled }) => sum + spooled, 0);
  }

  /** The hosts' names (`h1`) that serve each shard, by the router; null where nobody does. */
  async owners(): Promise<(string | null)[]> {
    return (await this.#shards()).map(({ state, host }) =>
      state === "serving" ? (host?.split(".", 1)[0] ?? null) : null,
    );
  }

  /** Takes everything out of the queue of dead letters; resolves to the bodies. */
  async takesDeadLetters(): Promise<string[]> {
    return this.#withChannel(async (channel) => {
      const bodies: string[] = [];
      for (;;) {
        const message = await channel.get(QUEUES.dead, { noAck: true });
        if (message === false) return bodies;
        bodies.push(message.content.toString("utf8"));
      }
    });
  }

  /** Messages that wait in each queue. */
  async queues(): Promise<Record<string, number>> {
    return this.#withChannel(async (channel) => {
      const depths: Record<string, number> = {};
      const polls = Array.from({ length: POLL_PARTS }, (_, part) => QUEUES.poll(part));
      const shards = Array.from({ length: SHARDS }, (_, shard) => QUEUES.shard(FIRST_SILO, shard));
      for (const queue of [...polls, QUEUES.dead, ...shards])
        depths[queue] = (await channel.checkQueue(queue)).messageCount;
      return depths;
    });
  }

  /** Messages of each queue that a consumer was given and is not done with, which a client of RabbitMQ cannot ask for. */
  async unsettled(): Promise<Record<string, number>> {
    const columns = ["name", "messages_unacknowledged"];
    const env = { ...this.#brokerEnv, RABBITMQ_CTL_ERL_ARGS: RABBITMQCTL_ARGUMENTS };
    const { stdout } = await promisify(execFile)(
      RABBITMQCTL,
      ["--silent", "--formatter", "json", "list_queues", "--vhost", RABBITMQ_VHOST, ...columns],
      { env, timeout: LISTED_WITHIN_MS },
    );
    const queues = JSON.parse(stdout) as { name: string; messages_unacknowledged: number }[];
    return Object.fromEntries(
      queues.map(({ name, messages_unacknowledged: count }) => [`work on ${name}`, count]),
    );
  }

  /** What the host `h1` says of itself; rejects when it does not answer within 3 s. */
  async status(host: string): Promise<HostStatus> {
    return (await this.#ask(hostAddress(this.#stack.domain, host), "status")) as HostStatus;
  }

  /** What the avatar router says of itself; rejects when it does not answer within 3 s. */
  async router(): Promise<RouterCounters> {
    return (await this.#ask(addressesOf(this.#stack.domain).silo, "counters")) as RouterCounters;
  }

  #pidOf(name: string): number | null {
    try {
      return this.#stack.service(name).pid;
    } catch {
      return null;
    }
  }

  /** Bytes of its own that each process has in RAM; one that is down at the moment, or taken away by the monitor, is left out. */
  memory(processes: readonly string[]): Map<string, number> {
    const { users, agents, avatars } = this.#nodePids();
    const pids: [string, number | null][] = [
      ...processes.map((name): [string, number | null] => [name, this.#pidOf(name)]),
      ["ejabberd users", users],
      ["ejabberd agents", agents],
      ["ejabberd avatars", avatars],
    ];
    return new Map(pids.flatMap(([name, pid]) => (pid === null ? [] : [[name, ownBytes(pid)] as const])));
  }

  async #ask(to: string, what: "status" | "counters"): Promise<unknown> {
    if (this.#bus === null) throw new Error("the monitor is on the bus in place of the probe");
    return jsonIn(
      await this.#bus.request(xml("iq", { type: "get", to }, payload(what, {})), ANSWER_WITHIN_MS),
    );
  }

  #nodePids() {
    const { ejabberd } = this.#stack;
    return { users: ejabberd.pid("users"), agents: ejabberd.pid("agents"), avatars: ejabberd.pid("avatars") };
  }

  async #outboxes(): Promise<Record<string, number>> {
    const waiting: Record<string, number> = {};
    let shards = 0;
    for (const host of this.#hosts) {
      const status = await this.status(host);
      waiting[`the outboxes of ${host}`] = status.framesWaiting;
      shards += status.shards;
    }
    waiting["shards that nobody serves"] = SHARDS - shards;
    return waiting;
  }

  async #shards(): Promise<RouterCounters["shards"]> {
    return (await this.router()).shards;
  }

  async #withChannel<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await connect(this.#stack.amqpUrl, { timeout: 3_000 });
    // A connection that breaks rejects what is asked over it; the event alone would end the process.
    connection.on("error", () => {});
    try {
      const channel = await connection.createChannel();
      channel.on("error", () => {});
      return await work(channel);
    } finally {
      await connection.close();
    }
  }
}

function jsonIn(answer: ReturnType<typeof xml>): unknown {
  return JSON.parse(busChild(answer)?.getChildText("json") ?? "null");
}

/**
 * RssAnon of /proc, in units of 1,024 bytes. VmRSS counts pages of files too, which the kernel takes away when it needs them:
 * LevelDB maps up to 1,000 files of a table into memory.
 */
function ownBytes(pid: number): number {
  const kilobytes = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes ?? 0) * 1_024;
}
