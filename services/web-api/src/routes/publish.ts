/** What programs publish: to the queue of its source's shard, and 202 only when RabbitMQ has it on disk. */
import { randomUUID } from "node:crypto";
import { SourceStandings } from "@tidings/ingest";
import { FIRST_SILO, type Publication, pushSource, QUEUES, shardOf } from "@tidings/protocol";
import { RefusedError } from "@tidings/queue";
import { counter } from "@tidings/runtime";
import { RateLimiterMemory } from "rate-limiter-flexible";
import Type from "typebox";
import type { App, Parts } from "../parts.ts";
import { nothingHere, Problem, unavailable } from "../problem.ts";
import { publishedItems } from "../publishing/publication.ts";
import { readRequest } from "../publishing/read-request.ts";
import { PROBLEMS } from "../shapes.ts";
import { clientOf, consume } from "../sign-in-guard.ts";

const MAX_BODY_BYTES = 262_144;
/** Requests of one client with tokens that there are not. */
const STRANGE_PER_MINUTE = 30;

const PUBLISHED = counter("tidings_published_total", "Messages of programs that were taken.");

const schema = {
  tags: ["publish"],
  operationId: "publish",
  summary: "Tell something, with the token of a publisher",
  description:
    'As plain text (`curl -d "disk full" …/p/<token>`: the first line is the title), as JSON (one message or an array), or with headers: ' +
    "Title, Link (or Click), Priority, Tags, Dedup-Key, At, Delay, Options, Callback, Answer-Within, also with X- before them. " +
    "202 when it is durable. With Idempotency-Key or a dedup key a repeat is told once.",
  params: Type.Object({ token: Type.String({ pattern: "^[A-Za-z0-9_-]{8,100}$" }) }),
  response: {
    202: Type.Object({ items: Type.Array(Type.Object({ id: Type.String() })) }),
    ...PROBLEMS,
  },
} as const;

/** The address for programs, which have no session: the token in it is the key. */
export function publishRoutes(app: App, { avatars, queue, publishesPerMinute, log }: Parts): void {
  const standings = new SourceStandings(
    async (source) => (await avatars.asService(source, "publisherStanding", {})).standing,
  );
  const perSource = new RateLimiterMemory({ points: publishesPerMinute, duration: 60, keyPrefix: "publish" });
  const strange = new RateLimiterMemory({ points: STRANGE_PER_MINUTE, duration: 60, keyPrefix: "strange" });
  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    scope.post("/p/:token", { schema, bodyLimit: MAX_BODY_BYTES }, async (request, reply) => {
      const source = pushSource(request.params.token);
      const standing = await standings.of(source);
      if (standing !== "open") await consume(strange, clientOf(request.ip));
      if (standing === "unknown") throw nothingHere();
      if (standing === "ended")
        throw new Problem(410, "The owner of this address has ended it; ask for another.");
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const messages = readRequest(body, request.headers);
      await consume(perSource, source, messages.length);
      const key = request.headers["idempotency-key"];
      const items = publishedItems(messages, {
        source,
        key: typeof key === "string" ? key : null,
        nowAt: Date.now(),
      });
      await put(queue, { publication: randomUUID(), source, items });
      PUBLISHED.inc(items.length);
      for (const { item } of items) log.debug({ trace: item.id, source }, "item is queued");
      return reply.code(202).send({ items: items.map(({ item }) => ({ id: item.id })) });
    });
  });
}

async function put(queue: Parts["queue"], publication: Publication): Promise<void> {
  const name = QUEUES.shard(FIRST_SILO, shardOf(publication.source));
  try {
    await queue.publish(name, JSON.stringify(publication));
  } catch (cause) {
    if (cause instanceof RefusedError)
      throw new Problem(503, "Too much waits to be told at the moment; send it again in a minute.", {
        cause,
        retryAfterSeconds: 60,
      });
    throw unavailable(cause);
  }
}
