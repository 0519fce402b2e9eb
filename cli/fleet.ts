/** `tidings status|hosts|shards|queues|drain|scale`: the fleet of avatar hosts, over the operators' routes. */
import { type Command, Misunderstood, type Surroundings } from "./command.ts";
import { type Ask, operatorOf } from "./operator.ts";

interface Host {
  readonly id: string;
  readonly state: string;
  readonly shards: number;
  readonly awakeAvatars: number | null;
  readonly busy: number | null;
  readonly residentBytes: number | null;
  readonly framesWaiting: number | null;
  readonly parkedStreams: number | null;
}

interface Fleet {
  readonly items: readonly Host[];
  readonly wanted: number;
  readonly least: number;
  readonly most: number;
  readonly problem: string | null;
  readonly decisions: readonly { readonly at: string; readonly wanted: number; readonly reason: string }[];
}

interface List<T> {
  readonly items: readonly T[];
}

type Shard = { readonly shard: number; readonly host: string | null; readonly epoch: number | null };
type Queue = { readonly queue: string; readonly waiting: number };

const MEGABYTE = 1_048_576;

/** A command of no arguments that shows what `read` gives; with --json as it is. */
function shows<T>(
  about: Pick<Command, "name" | "summary" | "examples">,
  read: (ask: Ask) => Promise<T>,
  lines: (found: T) => readonly string[],
  isWell: (found: T) => boolean = () => true,
): Command {
  const usage = `tidings ${about.name} [--json]`;
  return {
    ...about,
    usage,
    run: async (args, surroundings) => {
      if (args.some((arg) => arg !== "--json")) throw new Misunderstood({ ...about, usage });
      const found = await read(operatorOf(surroundings));
      if (args.includes("--json")) surroundings.out(JSON.stringify(found));
      else for (const line of lines(found)) surroundings.out(line);
      return isWell(found) ? 0 : 1;
    },
  };
}

interface Status {
  readonly isWell: boolean;
  readonly sentence: string;
  readonly troubles: readonly string[];
}

const status = shows(
  {
    name: "status",
    summary: "Says whether all is well, in a line; exit code 1 when it is not.",
    examples: ["tidings status && echo fine", "tidings status --json   # one object"],
  },
  async (ask) => (await ask("GET", "/status")) as Status,
  ({ sentence, troubles }) => [sentence, ...troubles.map((trouble) => `  ${trouble}`)],
  ({ isWell }) => isWell,
);

const hosts = shows(
  {
    name: "hosts",
    summary: "Lists the avatar hosts, and what the monitor has decided of late.",
    examples: ["tidings hosts", "tidings hosts --json | jq .decisions"],
  },
  async (ask) => (await ask("GET", "/hosts")) as Fleet,
  ({ items, wanted, least, most, decisions }) => [
    ...items.map(
      ({ id, state, shards, awakeAvatars, busy, residentBytes }) =>
        `${id.padEnd(4)} ${state.padEnd(9)} ${shards} shards, ${awakeAvatars ?? "?"} awake, ` +
        `${busy === null ? "?" : Math.round(busy * 100)} % busy, ${megabytes(residentBytes)} MB`,
    ),
    `${wanted} wanted, between ${least} and ${most}`,
    ...decisions.slice(0, 5).map(({ at, wanted: number, reason }) => `${at}  ${number}: ${reason}`),
  ],
);

const shards = shows(
  {
    name: "shards",
    summary: "Lists which host serves which shard.",
    examples: ["tidings shards | grep h2   # those of h2"],
  },
  async (ask) => (await ask("GET", "/shards")) as List<Shard>,
  ({ items }) => items.map(({ shard, host, epoch }) => `${shard}\t${host ?? "-"}\t${epoch ?? "-"}`),
);

const queues = shows(
  {
    name: "queues",
    summary: "Lists what waits in RabbitMQ's queues.",
    examples: ["tidings queues"],
  },
  async (ask) => (await ask("GET", "/queues")) as List<Queue>,
  ({ items }) => {
    const waiting = items.filter((item) => item.waiting > 0);
    return waiting.length === 0
      ? ["nothing waits"]
      : waiting.map((item) => `${String(item.waiting).padStart(8)}  ${item.queue}`);
  },
);

const drain: Command = {
  name: "drain",
  summary: "Has a host give its shards to the others, and end.",
  usage: "tidings drain <host> [--json]",
  examples: ["tidings drain h2   # its shards go to the others, and it ends"],
  run: (args, surroundings) =>
    asks(drain, args, surroundings, (id) => ["POST", `/hosts/${encodeURIComponent(id)}/drain`, {}]),
};

const scale: Command = {
  name: "scale",
  summary: "Has at least so many hosts run from now on.",
  usage: "tidings scale <hosts> [--json]",
  examples: ["tidings scale 3   # three or more from now on"],
  run: (args, surroundings) => {
    const count = Number(args.find((arg) => arg !== "--json"));
    if (!Number.isSafeInteger(count)) throw new Misunderstood(scale);
    return asks(scale, args, surroundings, () => ["POST", "/scale", { hosts: count }]);
  },
};

async function asks(
  command: Command,
  args: readonly string[],
  surroundings: Surroundings,
  request: (argument: string) => Parameters<Ask>,
): Promise<number> {
  const [argument, ...others] = args.filter((arg) => arg !== "--json");
  if (argument === undefined || others.length > 0) throw new Misunderstood(command);
  const fleet = (await operatorOf(surroundings)(...request(argument))) as Fleet;
  if (args.includes("--json")) surroundings.out(JSON.stringify(fleet));
  else surroundings.out(`${fleet.wanted} hosts are wanted now; see tidings hosts`);
  return 0;
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "?" : String(Math.round(bytes / MEGABYTE));
}

export const fleetCommands: readonly Command[] = [status, hosts, shards, queues, drain, scale];
