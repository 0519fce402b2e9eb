/**
 * The callback of hubs (WebSub §5.3, §7): whether they are to send is said by the source avatar, and what they send counts when
 * it is signed. 202 when it is durable; 410 tells a hub to stop.
 */
import { randomUUID } from "node:crypto";
import { hubSecret, isHubCallback, isSignedByHub } from "@tidings/ingest";
import { FIRST_SILO, PUSHED_BYTES, type PushedDocument, pollPart, QUEUES } from "@tidings/protocol";
import { RefusedError } from "@tidings/queue";
import { RateLimiterMemory } from "rate-limiter-flexible";
import Type from "typebox";
import type { App, Parts } from "../parts.ts";
import { nothingHere, Problem, unavailable } from "../problem.ts";
import { Empty, PROBLEMS } from "../shapes.ts";
import { clientOf, consume } from "../sign-in-guard.ts";

/** Requests of one client to callbacks that there are not. */
const STRANGE_PER_MINUTE = 30;
/** A hub that says nothing of a lease keeps to what was asked for; it is believed for a day (seconds). */
const LEASE_UNSAID = 86_400;

const params = Type.Object({
  source: Type.String({ pattern: "^rss\\.[0-9a-f]{1,40}$" }),
  mac: Type.String({ maxLength: 100 }),
});

const verifySchema = {
  tags: ["hubs"],
  operationId: "verifyHubIntent",
  summary: "A hub asks whether it is to send what is new of a feed",
  params,
  querystring: Type.Object({
    "hub.mode": Type.Union([Type.Literal("subscribe"), Type.Literal("unsubscribe"), Type.Literal("denied")]),
    "hub.topic": Type.String({ maxLength: 2_000 }),
    "hub.challenge": Type.Optional(Type.String({ maxLength: 2_000 })),
    "hub.lease_seconds": Type.Optional(Type.Number({ minimum: 0 })),
    "hub.reason": Type.Optional(Type.String()),
  }),
  response: { 200: Type.String(), ...PROBLEMS },
} as const;

const deliverSchema = {
  tags: ["hubs"],
  operationId: "takeFromHub",
  summary: "A hub sends what is new of a feed",
  params,
  response: { 202: Empty, ...PROBLEMS },
} as const;

export function hubRoutes(app: App, { avatars, queue, hubKey }: Parts): void {
  if (hubKey === null) return;
  const strange = new RateLimiterMemory({ points: STRANGE_PER_MINUTE, duration: 60, keyPrefix: "hub" });
  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    // Before anything of a body is read.
    scope.addHook("onRequest", async (request) => {
      const { source = "", mac = "" } = request.params as Record<string, string>;
      if (isHubCallback(hubKey, source, mac)) return;
      await consume(strange, clientOf(request.ip));
      throw nothingHere();
    });

    scope.get("/websub/:source/:mac", { schema: verifySchema }, async (request, reply) => {
      const { "hub.mode": mode, "hub.topic": topic, "hub.challenge": challenge = "" } = request.query;
      const leaseSeconds = Math.floor(request.query["hub.lease_seconds"] ?? LEASE_UNSAID);
      const intent = { mode, topic, leaseSeconds };
      const { agreed } = await avatars.asService(request.params.source, "hubIntent", intent);
      if (!agreed) throw nothingHere();
      // What a hub has us say is text, whatever it looks like.
      return reply.type("text/plain; charset=utf-8").send(mode === "denied" ? "" : challenge);
    });

    scope.post(
      "/websub/:source/:mac",
      { schema: deliverSchema, bodyLimit: PUSHED_BYTES },
      async (request, reply) => {
        const { source } = request.params;
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const signature = [request.headers["x-hub-signature"] ?? []].flat()[0] ?? "";
        if (!isSignedByHub(signature, hubSecret(hubKey, source), body))
          throw new Problem(
            403,
            "X-Hub-Signature does not sign this body with the secret of the subscription.",
          );
        const { url } = await avatars.asService(source, "hubTopic", {});
        if (url === null) throw new Problem(410, "Nobody wants to hear of this feed any more.");
        await put(queue, {
          pushed: randomUUID(),
          source,
          silo: FIRST_SILO,
          url,
          contentType: (request.headers["content-type"] ?? "").slice(0, 1_000),
          body: body.toString("base64"),
        });
        return reply.code(202).send(null);
      },
    );
  });
}

/** Where the feed's poll jobs go, so that one ingestor reads all of it. */
async function put(queue: Parts["queue"], document: PushedDocument): Promise<void> {
  try {
    await queue.publish(QUEUES.poll(pollPart(document.url)), JSON.stringify(document));
  } catch (cause) {
    if (!(cause instanceof RefusedError)) throw unavailable(cause);
    const sentence = "Too much waits to be read at the moment; send it again in a minute.";
    throw new Problem(503, sentence, { cause, retryAfterSeconds: 60 });
  }
}
