import { gauges, metricsText } from "@tidings/runtime";
import Type from "typebox";
import type { App, Parts } from "../parts.ts";
import { probeAvatars } from "../probe.ts";

const PROBE_TIMEOUT_MS = 2_000;

const Readiness = Type.Object({
  bus: Type.Boolean({ description: "The connection to the agents cluster is up." }),
  queue: Type.Boolean({ description: "RabbitMQ is connected and takes messages." }),
  avatars: Type.Boolean({ description: "An avatar host answers calls." }),
});

const liveSchema = {
  operationId: "isAlive",
  tags: ["health"],
  summary: "The process runs",
  response: { 200: Type.Object({ alive: Type.Boolean() }) },
} as const;

const readySchema = {
  operationId: "isReady",
  tags: ["health"],
  summary: "Everything that requests need answers",
  response: { 200: Readiness, 503: Readiness },
} as const;

const metricsSchema = {
  operationId: "metrics",
  tags: ["health"],
  summary: "Figures of this process for Prometheus",
  response: { 200: Type.String() },
} as const;

export function healthRoutes(app: App, parts: Parts): void {
  gauges("tidings_queue_messages", "Messages that wait for a consumer.", "queue", () => depthsOf(parts));
  app.get("/livez", { schema: liveSchema }, async () => ({ alive: true }));

  app.get("/metrics", { schema: metricsSchema }, async (_request, reply) => {
    const { type, text } = await metricsText();
    return reply.type(type).send(text);
  });

  app.get("/readyz", { schema: readySchema }, async (_request, reply) => {
    const bus = parts.bus.isOnline;
    const readiness = { bus, queue: !parts.queue.isBlocked, avatars: bus && (await doAvatarsAnswer(parts)) };
    return reply.code(Object.values(readiness).every(Boolean) ? 200 : 503).send(readiness);
  });
}

/** Nothing while RabbitMQ does not say: the other figures are of use without. */
async function depthsOf({ depths, log }: Parts): Promise<(readonly [string, number])[]> {
  try {
    return (await depths.read()).map((depth) => [depth.queue, depth.waiting]);
  } catch (error) {
    log.debug({ err: error }, "queues were not counted");
    return [];
  }
}

async function doAvatarsAnswer(parts: Parts): Promise<boolean> {
  try {
    await probeAvatars(parts, PROBE_TIMEOUT_MS);
    return true;
  } catch (error) {
    parts.log.debug({ err: error }, "no avatar answers");
    return false;
  }
}
