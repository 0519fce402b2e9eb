/** The operators' view of hosts, shards and queues, and their word on how many hosts there are. */
import { FIRST_SILO, type FleetView, POLL_PARTS, QUEUES, SHARDS } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { ChangeHeaders, List, literals, Nullable, PROBLEMS, Strict, Time } from "../shapes.ts";
import { rfc3339, rfc3339OrNull } from "../times.ts";

/** The monitor answers at once, or it is not there. */
const CALL_TIMEOUT_MS = 5_000;
/** Queues that are asked about at a time. */
const AT_ONCE = 8;

const Figure = Nullable(Type.Number());
const HostItem = Type.Object({
  id: Type.String({ examples: ["h1"] }),
  state: literals(["serving", "starting", "stopping", "silent"]),
  seenAt: Nullable(Time),
  shards: Type.Integer({ description: "How many it serves." }),
  awakeAvatars: Figure,
  commitsPerSecond: Figure,
  busy: Nullable(Type.Number({ description: "Share of the time in which its event loop worked, 0 to 1." })),
  loopDelayMs: Nullable(Type.Number({ description: "How late the event loop was, 99th percentile." })),
  residentBytes: Figure,
  framesWaiting: Nullable(Type.Number({ description: "Frames that no receiver has acknowledged." })),
  parkedStreams: Figure,
});

const Hosts = Type.Object({
  ...List(HostItem).properties,
  wanted: Type.Integer(),
  least: Type.Integer(),
  most: Type.Integer(),
  problem: Nullable(Type.String({ description: "What keeps the monitor from having as many as it wants." })),
  decisions: Type.Array(Type.Object({ at: Time, wanted: Type.Integer(), reason: Type.String() })),
});

const ShardItem = Type.Object({
  shard: Type.Integer(),
  host: Nullable(Type.String({ description: "Null: no host says that it serves it." })),
  epoch: Nullable(Type.Integer()),
});

const QueueItem = Type.Object({
  queue: Type.String(),
  waiting: Type.Integer({ description: "Messages that no consumer has been given." }),
});

const shared = { tags: ["operations"], security: [{ operator: [] }] } as const;

const hostsSchema = {
  ...shared,
  operationId: "listHosts",
  summary: "Avatar hosts as the monitor knows them, how many are wanted, and why",
  response: { 200: Hosts, ...PROBLEMS },
} as const;

const shardsSchema = {
  ...shared,
  operationId: "listShards",
  summary: "Which host serves which shard",
  response: { 200: List(ShardItem), ...PROBLEMS },
} as const;

const queuesSchema = {
  ...shared,
  operationId: "listQueues",
  summary: "What waits in RabbitMQ's queues, the longest first",
  response: { 200: List(QueueItem), ...PROBLEMS },
} as const;

const drainSchema = {
  ...shared,
  operationId: "drainHost",
  summary: "Have a host give its shards to the others, and end",
  params: Type.Object({ id: Type.String({ pattern: "^h[0-9]{1,3}$" }) }),
  headers: ChangeHeaders,
  response: { 202: Hosts, ...PROBLEMS },
} as const;

const scaleSchema = {
  ...shared,
  operationId: "scale",
  summary: "Have at least so many hosts from now on",
  headers: ChangeHeaders,
  body: Strict({ hosts: Type.Integer() }, { examples: [{ hosts: 3 }] }),
  response: { 202: Hosts, ...PROBLEMS },
} as const;

export function fleetRoutes(app: App, { addresses, bus, queue, log }: Parts): void {
  const asked = { from: addresses.web, to: addresses.monitor, authority: null, timeoutMs: CALL_TIMEOUT_MS };
  const fleet = () => bus.call({ ...asked, name: "fleet", args: {} });
  const withOp = (op: string | undefined) => (op === undefined ? {} : { op });

  app.get("/v1/operations/hosts", { schema: hostsSchema }, async () => hostsOf(await fleet()));

  app.get("/v1/operations/shards", { schema: shardsSchema }, async () => ({
    items: shardsOf(await fleet()),
    next: null,
  }));

  app.get("/v1/operations/queues", { schema: queuesSchema }, async () => {
    const items: Static<typeof QueueItem>[] = [];
    const names = queueNames();
    for (let at = 0; at < names.length; at += AT_ONCE) {
      const part = names.slice(at, at + AT_ONCE);
      items.push(
        ...(await Promise.all(
          part.map(async (name) => ({ queue: name, waiting: await queue.waiting(name) })),
        )),
      );
    }
    return { items: items.sort((a, b) => b.waiting - a.waiting), next: null };
  });

  app.post("/v1/operations/hosts/:id/drain", { schema: drainSchema }, async (request, reply) => {
    const op = withOp(operationId(request, "operator", "drain"));
    const after = await bus.call({ ...asked, name: "drainHost", args: request.params, ...op });
    log.info({ host: request.params.id }, "operator drains a host");
    return reply.code(202).send(hostsOf(after));
  });

  app.post("/v1/operations/scale", { schema: scaleSchema }, async (request, reply) => {
    const op = withOp(operationId(request, "operator", "scale"));
    const after = await bus.call({ ...asked, name: "scaleTo", args: request.body, ...op });
    log.info({ hosts: request.body.hosts }, "operator scales hosts");
    return reply.code(202).send(hostsOf(after));
  });
}

function hostsOf({ hosts, decisions, ...view }: FleetView): Static<typeof Hosts> {
  const items = hosts.map(({ id, state, seenAt, load }) => ({
    id,
    state,
    seenAt: rfc3339OrNull(seenAt),
    shards: load?.shards.length ?? 0,
    awakeAvatars: load?.awakeAvatars ?? null,
    commitsPerSecond: load?.commitsPerSecond ?? null,
    busy: load?.busy ?? null,
    loopDelayMs: load?.loopDelayMs ?? null,
    residentBytes: load?.residentBytes ?? null,
    framesWaiting: load?.framesWaiting ?? null,
    parkedStreams: load?.parkedStreams ?? null,
  }));
  const told = decisions.map(({ at, ...decision }) => ({ at: rfc3339(at), ...decision }));
  return { items, next: null, ...view, decisions: told };
}

/** Of two that say they serve a shard, the one with the higher epoch does. */
function shardsOf({ hosts }: FleetView): Static<typeof ShardItem>[] {
  const owners = new Map<number, { readonly host: string; readonly epoch: number }>();
  for (const { id, state, load } of hosts) {
    if (state === "silent") continue;
    for (const { shard, epoch } of load?.shards ?? [])
      if ((owners.get(shard)?.epoch ?? -1) < epoch) owners.set(shard, { host: id, epoch });
  }
  return Array.from({ length: SHARDS }, (_, shard) => {
    const owner = owners.get(shard);
    return { shard, host: owner?.host ?? null, epoch: owner?.epoch ?? null };
  });
}

function queueNames(): string[] {
  const polls = Array.from({ length: POLL_PARTS }, (_, part) => QUEUES.poll(part));
  const shards = Array.from({ length: SHARDS }, (_, shard) => QUEUES.shard(FIRST_SILO, shard));
  return [...polls, ...shards, QUEUES.lookup, QUEUES.mail, QUEUES.callback, QUEUES.answerMail, QUEUES.dead];
}
