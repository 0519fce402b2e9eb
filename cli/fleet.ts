/** `tidings status|hosts|shards|queues|drain|scale`: the fleet of avatar hosts, over the operators' routes. */
import { type Command, CommandFailed, type Surroundings } from "./command.ts";
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

/** A queue that holds more than this is worth a person's look. */
const MANY = 1_000;
const MEGABYTE = 1_048_576;

/** A command of no arguments that shows what `read` gives; with --json as it is. */
function shows<T>(
  about: Pick<Command, "name" | "summary">,
  read: (ask: Ask) => Promise<T>,
  lines: (found: T) => readonly string[],
  isWell: (found: T) => boolean = () => true,
): Command {
  const usage = `tidings ${about.name} [--json]`;
  return {
    ...about,
    usage,
    run: async (args, surroundings) => {
      if (args.some((arg) => arg !== "--json")) throw new CommandFailed(`usage: ${usage}`);
      const found = await read(operatorOf(surroundings));
      if (args.includes("--json")) surroundings.out(JSON.stringify(found));
      else for (const line of lines(found)) surroundings.out(line);
      return isWell(found) ? 0 : 1;
    },
  };
}

interface Status {
  readonly isWell: boolean;
  readonly hosts: number;
  readonly shards: number;
  readonly waiting: number;
  readonly deadLetters: number;
  readonly troubles: readonly string[];
}

async function statusOf(ask: Ask): Promise<Status> {
  const [fleet, shards, queues, dead] = (await Promise.all(
    ["/hosts", "/shards", "/queues", "/dead-letters?limit=200"].map((path) => ask("GET", path)),
  )) as [Fleet, List<Shard>, List<Queue>, List<unknown>];
  const served = shards.items.filter(({ host }) => host !== null).length;
  const serving = fleet.items.filter(({ state }) => state === "serving");
  const troubles = [
    ...(fleet.problem === null ? [] : [`hosts cannot be started or stopped: ${fleet.problem}`]),
    ...(serving.length < fleet.wanted ? [`${serving.length} hosts serve, ${fleet.wanted} are wanted`] : []),
    ...(served < shards.items.length && fleet.wanted > 0
      ? [`${shards.items.length - served} shards have no host`]
      : []),
    ...fleet.items.filter(({ state }) => state === "silent").map(({ id }) => `${id} says nothing`),
    ...fleet.items
      .filter(({ parkedStreams }) => (parkedStreams ?? 0) > 0)
      .map(({ id, parkedStreams }) => `${id} has ${parkedStreams} streams that nobody acknowledges`),
    ...queues.items
      .filter(({ waiting }) => waiting > MANY)
      .map(({ queue, waiting }) => `${waiting} messages wait in ${queue}`),
    ...(dead.items.length === 0 ? [] : [`${dead.items.length} dead letters; see tidings dead-letters list`]),
  ];
  return {
    isWell: troubles.length === 0,
    hosts: serving.length,
    shards: served,
    waiting: queues.items.reduce((sum, { waiting }) => sum + waiting, 0),
    deadLetters: dead.items.length,
    troubles,
  };
}

const status = shows(
  { name: "status", summary: "Says whether all is well, in a line; exit code 1 when it is not." },
  statusOf,
  ({ isWell, hosts, shards, waiting, troubles }) => [
    `${isWell ? "All well" : "Not well"}: ${hosts} hosts, ${shards} of 64 shards served, ${waiting} messages wait`,
    ...troubles.map((trouble) => `  ${trouble}`),
  ],
  ({ isWell }) => isWell,
);

const hosts = shows(
  { name: "hosts", summary: "Lists the avatar hosts, and what the monitor has decided of late." },
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
  { name: "shards", summary: "Lists which host serves which shard." },
  async (ask) => (await ask("GET", "/shards")) as List<Shard>,
  ({ items }) => items.map(({ shard, host, epoch }) => `${shard}\t${host ?? "-"}\t${epoch ?? "-"}`),
);

const queues = shows(
  { name: "queues", summary: "Lists what waits in RabbitMQ's queues." },
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
  run: (args, surroundings) =>
    asks(args, surroundings, drain.usage, (id) => ["POST", `/hosts/${encodeURIComponent(id)}/drain`, {}]),
};

const scale: Command = {
  name: "scale",
  summary: "Has at least so many hosts run from now on.",
  usage: "tidings scale <hosts> [--json]",
  run: (args, surroundings) => {
    const count = Number(args.find((arg) => arg !== "--json"));
    if (!Number.isSafeInteger(count)) throw new CommandFailed(`usage: ${scale.usage}`);
    return asks(args, surroundings, scale.usage, () => ["POST", "/scale", { hosts: count }]);
  },
};

async function asks(
  args: readonly string[],
  surroundings: Surroundings,
  usage: string,
  request: (argument: string) => Parameters<Ask>,
): Promise<number> {
  const [argument, ...others] = args.filter((arg) => arg !== "--json");
  if (argument === undefined || others.length > 0) throw new CommandFailed(`usage: ${usage}`);
  const fleet = (await operatorOf(surroundings)(...request(argument))) as Fleet;
  if (args.includes("--json")) surroundings.out(JSON.stringify(fleet));
  else surroundings.out(`${fleet.wanted} hosts are wanted now; see tidings hosts`);
  return 0;
}

function megabytes(bytes: number | null): string {
  return bytes === null ? "?" : String(Math.round(bytes / MEGABYTE));
}

export const fleetCommands: readonly Command[] = [status, hosts, shards, queues, drain, scale];
