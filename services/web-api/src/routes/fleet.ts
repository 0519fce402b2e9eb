/** The operators' view of hosts, shards and queues, and their word on how many hosts there are. */
import { CallError } from "@tidings/protocol";
import Type from "typebox";
import { operationId } from "../avatar-calls.ts";
import { listDeadLetters } from "../dead-letters.ts";
import { checkFromInside } from "../operations/checks.ts";
import { callMonitor, readFleet } from "../operations/fleet-calls.ts";
import { Hosts, hostsOf, ShardItem, shardsOf } from "../operations/fleet-view.ts";
import { statusOf } from "../operations/status.ts";
import type { App, Parts } from "../parts.ts";
import { ChangeHeaders, List, literals, Nullable, PROBLEMS, Strict, Time } from "../shapes.ts";
import { rfc3339 } from "../times.ts";

/** Dead letters that are counted. */
const MOST_COUNTED = 200;

const QueueItem = Type.Object({
  queue: Type.String(),
  waiting: Type.Integer({ description: "Messages that no consumer has been given." }),
});

const SampleItem = Type.Object({
  at: Time,
  hosts: Type.Integer(),
  shards: Type.Integer(),
  awakeAvatars: Type.Integer(),
  commitsPerSecond: Type.Number(),
  busy: Type.Number({ description: "Of the busiest host, 0 to 1." }),
  loopDelayMs: Type.Number({ description: "Of the slowest host." }),
  residentBytes: Type.Integer(),
  framesWaiting: Type.Integer(),
});

const Status = Type.Object({
  isWell: Type.Boolean(),
  sentence: Type.String({ examples: ["All well: 2 hosts, 64 of 64 shards served, 0 messages wait"] }),
  troubles: Type.Array(
    Type.String({ description: "A sentence for each thing that is not as it should be." }),
  ),
  hosts: Type.Integer({ description: "Those that serve." }),
  shards: Type.Integer({ description: "Those that are served." }),
  waiting: Type.Integer({ description: "Messages in all queues that no consumer has been given." }),
  deadLetters: Type.Integer({ description: `Up to ${MOST_COUNTED}.` }),
});

const shared = { tags: ["operations"], security: [{ operator: [] }] } as const;

const statusSchema = {
  ...shared,
  operationId: "status",
  summary: "Whether all is well, and what is not",
  response: { 200: Status, ...PROBLEMS },
} as const;

const checksSchema = {
  ...shared,
  operationId: "checks",
  summary: "Whether the clusters reach each other, and whether the queues are as they should be",
  response: {
    200: List(
      Type.Object({
        name: Type.String(),
        isGood: Type.Boolean(),
        found: Type.String(),
        advice: Nullable(Type.String({ description: "What to do." })),
      }),
    ),
    ...PROBLEMS,
  },
} as const;

const hostsSchema = {
  ...shared,
  operationId: "listHosts",
  summary: "Avatar hosts as the monitor knows them, how many are wanted, and why",
  response: { 200: Hosts, ...PROBLEMS },
} as const;

const recordSchema = {
  ...shared,
  operationId: "record",
  summary: "How the fleet did in the last hour, day or week",
  querystring: Strict({ range: Type.Optional(literals(["1h", "24h", "7d"])) }),
  response: { 200: List(SampleItem), ...PROBLEMS },
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

export function fleetRoutes(app: App, parts: Parts): void {
  const fleet = () => readFleet(parts);
  const fleetOrNull = () =>
    fleet().catch((error: unknown) => {
      if (error instanceof CallError && error.type === "wait") return null;
      throw error;
    });
  const { log } = parts;

  app.get("/v1/operations/checks", { schema: checksSchema }, async () => ({
    items: await checkFromInside(parts),
    next: null,
  }));

  app.get("/v1/operations/hosts", { schema: hostsSchema }, async () => hostsOf(await fleet()));

  app.get("/v1/operations/record", { schema: recordSchema }, async ({ query }) => {
    const { samples } = await callMonitor(parts, "fleetRecord", { range: query.range ?? "1h" });
    return { items: samples.map(({ at, ...sample }) => ({ at: rfc3339(at), ...sample })), next: null };
  });

  app.get("/v1/operations/shards", { schema: shardsSchema }, async () => ({
    items: shardsOf(await fleet()),
    next: null,
  }));

  app.get("/v1/operations/queues", { schema: queuesSchema }, async () => ({
    items: [...(await parts.depths.read())],
    next: null,
  }));

  app.get("/v1/operations/status", { schema: statusSchema }, async () => {
    const [known, queues, letters] = await Promise.all([
      fleetOrNull(),
      parts.depths.read(),
      listDeadLetters(parts, null, MOST_COUNTED),
    ]);
    const hasMore = letters.next !== null;
    return statusOf({ fleet: known, queues, deadLetters: letters.items.length, hasMore });
  });

  app.post("/v1/operations/hosts/:id/drain", { schema: drainSchema }, async (request, reply) => {
    const op = operationId(request, "operator", "drain");
    const after = await callMonitor(parts, "drainHost", request.params, op);
    log.info({ host: request.params.id }, "operator drains a host");
    return reply.code(202).send(hostsOf(after));
  });

  app.post("/v1/operations/scale", { schema: scaleSchema }, async (request, reply) => {
    const op = operationId(request, "operator", "scale");
    const after = await callMonitor(parts, "scaleTo", request.body, op);
    log.info({ hosts: request.body.hosts }, "operator scales hosts");
    return reply.code(202).send(hostsOf(after));
  });
}
