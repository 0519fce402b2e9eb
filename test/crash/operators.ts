/** The fleet as operators see it, and whether that is the truth. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { FIRST_SILO, MOST_HOSTS, SHARDS } from "@tidings/protocol";
import { Leases, Table } from "@tidings/store";
import { eventually } from "@tidings/testkit";
import type { Stack } from "../../run/stack.ts";
import { Rest, wellDone } from "../theatre/rest.ts";
import type { Violation } from "./invariants.ts";
import type { Stage } from "./stage.ts";

const CLI = join(import.meta.dirname, "..", "..", "cli", "main.ts");
/** Hosts tell of themselves every 3 s, and a queue's depth is good for a second. */
const TOLD_WITHIN_MS = 30_000;

interface Answers {
  readonly hosts: { readonly items: readonly Host[] };
  readonly shards: { readonly items: readonly { readonly host: string | null }[] };
  readonly queues: { readonly items: readonly { readonly waiting: number }[] };
  readonly status: { readonly isWell: boolean; readonly hosts: number; readonly waiting: number };
}

interface Host {
  readonly id: string;
  readonly state: string;
  readonly shards: number;
  readonly busy: number | null;
}

/** What can be asked of the installation in more than one way, by a name for people. */
type Figures = Readonly<Record<string, unknown>>;

export class Operators {
  readonly #stage: Stage;
  readonly #rest: Rest;

  constructor(stage: Stage) {
    const { home, webUrl } = stage.stack;
    this.#stage = stage;
    this.#rest = new Rest(webUrl, readFileSync(join(home, "secrets", "operator"), "utf8").trim());
  }

  /** Has at least so many hosts run. */
  async scaleTo(hosts: number): Promise<void> {
    await eventually(async () => wellDone(await this.#rest.post("/v1/operations/scale", { hosts })));
  }

  /** All shards are served, by so many hosts, as many by each. Rejects while it is not so. */
  async seeSpread(wanted: number): Promise<void> {
    const { items } = await this.#asked("hosts");
    const serving = items.filter(({ state }) => state === "serving");
    const shares = serving.map(({ shards }) => shards);
    const total = shares.reduce((sum, shards) => sum + shards, 0);
    if (items.length !== wanted || serving.length !== wanted || total !== SHARDS)
      throw new Error(
        `${serving.length} of ${items.length} hosts serve ${total} shards; ${wanted} are wanted`,
      );
    if (Math.max(...shares) - Math.min(...shares) > 1) throw new Error(`the shares are ${shares.join(", ")}`);
  }

  /** The share of the time in which each host's event loop works, 0 to 1. */
  async busy(): Promise<number[]> {
    const { items } = await this.#asked("hosts");
    return items.map(({ busy }) => busy ?? 0);
  }

  /** When nothing is under way, the command line, the REST answers and the metrics say what processes, leases and RabbitMQ do. */
  async areToldTheTruth(): Promise<Violation[]> {
    const look = async () => {
      const { hosts, owners, waiting } = await this.#truth();
      const perHost = hosts.map((host) => owners.filter((owner) => owner === host).length);
      const byRest = await this.#byRest();
      mustBeSame("GET /v1/operations", byRest, { hosts, owners, waiting, isWell: true });
      mustBeSame("tidings status and hosts", await byCommand(this.#stage.stack), {
        hosts,
        waiting,
        isWell: true,
      });
      mustBeSame("metrics", await this.#byMetrics(hosts), {
        wanted: hosts.length,
        serving: hosts.length,
        perHost,
        waiting,
      });
    };
    return eventually(look, { withinMs: TOLD_WITHIN_MS }).then(
      () => [],
      (error: unknown) => [{ invariant: "figures", what: String(error) }],
    );
  }

  async #truth() {
    const { stack, probe } = this.#stage;
    const hosts = Array.from({ length: MOST_HOSTS }, (_, at) => `h${at + 1}`).filter((host) =>
      isRunning(stack, host),
    );
    const table = new Table({ endpoint: stack.dynamoEndpoint });
    try {
      const leases = await new Leases(table, FIRST_SILO).leases();
      const owners = leases.sort((a, b) => a.shard - b.shard).map(({ owner }) => owner?.host ?? null);
      return { hosts, owners, waiting: sum(Object.values(await probe.queues())) };
    } finally {
      table.stop();
    }
  }

  async #byRest(): Promise<Figures> {
    const [hosts, shards, queues, status] = await Promise.all([
      this.#asked("hosts"),
      this.#asked("shards"),
      this.#asked("queues"),
      this.#asked("status"),
    ]);
    const waiting = sum(queues.items.map((queue) => queue.waiting));
    if (status.waiting !== waiting || status.hosts !== hosts.items.length)
      throw new Error(`the status says ${status.hosts} hosts and ${status.waiting} waiting, not ${waiting}`);
    return {
      hosts: servingIn(hosts),
      owners: shards.items.map(({ host }) => host),
      waiting,
      isWell: status.isWell,
    };
  }

  async #byMetrics(hosts: readonly string[]): Promise<Figures> {
    const [monitor, web, ...each] = await Promise.all(
      ["monitor", "web-api", ...hosts.map((host) => `avatar-host-${host}`)].map((name) =>
        this.#metricsOf(name),
      ),
    );
    return {
      wanted: monitor?.get("tidings_hosts_wanted"),
      serving: monitor?.get("tidings_hosts_serving"),
      perHost: each.map((metrics) => metrics.get("tidings_shards_owned")),
      waiting: web?.get("tidings_queue_messages"),
    };
  }

  /** Every figure of a process, its labels summed up. */
  async #metricsOf(name: string): Promise<ReadonlyMap<string, number>> {
    const file = join(this.#stage.stack.home, "metrics", `${name}.json`);
    const [{ targets }] = JSON.parse(readFileSync(file, "utf8"));
    const page = await (await fetch(`http://${targets[0]}/metrics`)).text();
    const figures = new Map<string, number>();
    for (const [, figure = "", value] of page.matchAll(/^(\w+)(?:\{.*\})? (\S+)$/gm))
      figures.set(figure, (figures.get(figure) ?? 0) + Number(value));
    return figures;
  }

  async #asked<What extends keyof Answers>(what: What): Promise<Answers[What]> {
    return wellDone(await this.#rest.get(`/v1/operations/${what}`));
  }
}

function servingIn({ items }: Answers["hosts"]): string[] {
  return items.filter(({ state }) => state === "serving").map(({ id }) => id);
}

function isRunning(stack: Stack, host: string): boolean {
  try {
    return stack.service(`avatar-host-${host}`).pid !== null;
  } catch {
    // The monitor has taken it away.
    return false;
  }
}

async function byCommand(stack: Stack): Promise<Figures> {
  const [status, hosts] = await Promise.all([tidings(stack, "status"), tidings(stack, "hosts")]);
  const { isWell, waiting } = JSON.parse(status) as Answers["status"];
  return { hosts: servingIn(JSON.parse(hosts)), waiting, isWell };
}

async function tidings({ home }: Stack, command: string): Promise<string> {
  const env = { ...process.env, TIDINGS_HOME: home };
  const child = spawn(process.execPath, [CLI, command, "--json"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (code !== 0) throw new Error(`tidings ${command} ended with ${code}: ${said}`);
  return said;
}

function mustBeSame(who: string, told: Figures, truth: Figures): void {
  for (const [figure, value] of Object.entries(truth))
    if (JSON.stringify(told[figure]) !== JSON.stringify(value))
      throw new Error(
        `${figure} by ${who}: ${JSON.stringify(told[figure])}; the truth: ${JSON.stringify(value)}`,
      );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
