/** The user's private feed: its address, which the user can change, and what a feed reader gets there. */
import { createHash } from "node:crypto";
import { CallError, type CallResult, type PrivateFeedOf } from "@tidings/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RateLimiterMemory } from "rate-limiter-flexible";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import { FEED_TYPES, type FeedFormat, feedDocument } from "../feed-document.ts";
import type { App, Parts } from "../parts.ts";
import { nothingHere } from "../problem.ts";
import { callerIn } from "../session.ts";
import { ChangeHeaders, Empty, literals, Nullable, PROBLEMS, SIGNED_IN, Strict, Time } from "../shapes.ts";
import { clientOf, consume } from "../sign-in-guard.ts";
import { rfc3339OrNull } from "../times.ts";
import { heldBy, tokenFor } from "../user-token.ts";

const REQUESTS_PER_MINUTE = 120;
const CACHED_SECONDS = 60;

const Link = Type.Object({
  rss: Nullable(Type.String({ description: "Its address as RSS 2.0; null when it has none." })),
  atom: Nullable(Type.String()),
  json: Nullable(Type.String({ description: "As JSON Feed 1.1." })),
  createdAt: Nullable(Time),
});

const shared = { tags: ["feed"], security: SIGNED_IN } as const;

const readSchema = {
  ...shared,
  operationId: "readFeedLink",
  summary: "Where the private feed is; whoever has the address can read it",
  response: { 200: Link, ...PROBLEMS },
} as const;

const rotateSchema = {
  ...shared,
  operationId: "rotateFeedLink",
  summary: "Give the private feed a new address; the one before ends",
  headers: ChangeHeaders,
  response: { 200: Link, ...PROBLEMS },
} as const;

const endSchema = {
  ...shared,
  operationId: "endFeedLink",
  summary: "Take the private feed's address away",
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

const documentSchema = {
  tags: ["feed"],
  operationId: "readFeed",
  summary: "The private feed, for feed readers: <token>.rss, .atom or .json",
  params: Type.Object({ file: Type.String({ maxLength: 300 }) }),
  querystring: Strict({
    of: Type.Optional(literals(["all", "unacknowledged", "held"])),
  }),
  response: { 200: Type.String(), 304: Empty, ...PROBLEMS },
} as const;

/** The routes for the user. */
export function feedLinkRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/feed", { schema: readSchema }, async (request) => {
    const caller = callerIn(request);
    return linkOf(request, caller.name, await avatars.asUser(caller, "feedLink", {}));
  });

  app.post("/v1/feed/rotate", { schema: rotateSchema }, async (request) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "rotateFeed");
    return linkOf(request, caller.name, await avatars.asUser(caller, "rotateFeed", {}, op));
  });

  app.delete("/v1/feed", { schema: endSchema }, async (request, reply) => {
    const caller = callerIn(request);
    await avatars.asUser(caller, "endFeed", {}, operationId(request, caller.name, "endFeed"));
    return reply.code(204).send(null);
  });
}

/** The route for feed readers, which have no session: the address is the key. */
export function feedRoutes(app: App, { avatars, addresses }: Parts): void {
  const limiter = new RateLimiterMemory({ points: REQUESTS_PER_MINUTE, duration: 60, keyPrefix: "feed" });
  app.get("/feeds/:file", { schema: documentSchema }, async (request, reply) => {
    await consume(limiter, clientOf(request.ip));
    const { held, format } = readFile(request.params.file);
    const of: PrivateFeedOf = request.query.of ?? "all";
    const { items } = await avatars
      .asService(held.name, "feed", { secret: held.secret, of })
      .catch(hideWhoExists);
    const home = originOf(request);
    const self = home + request.url;
    const title = `Tidings for ${held.name}`;
    const content = { title, self, home: `${home}/`, domain: addresses.users, items };
    return sendDocument(request, reply, format, feedDocument(format, content));
  });
}

function readFile(file: string) {
  const [, token = "", format] = /^(.+)\.(rss|atom|json)$/.exec(file) ?? [];
  const held = heldBy("tdf", token);
  if (held === null || format === undefined) throw nothingHere();
  return { held, format: format as FeedFormat };
}

/** Whether there is no such user, or another address: it is the same answer. */
function hideWhoExists(error: unknown): never {
  throw error instanceof CallError && error.condition === "item-not-found" ? nothingHere() : error;
}

function sendDocument(request: FastifyRequest, reply: FastifyReply, format: FeedFormat, text: string) {
  const etag = `"${createHash("sha256").update(text).digest("base64url")}"`;
  reply.headers({
    etag,
    "cache-control": `private, max-age=${CACHED_SECONDS}`,
    "x-robots-tag": "noindex",
  });
  const known = (request.headers["if-none-match"] ?? "")
    .split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""));
  if (known.includes(etag)) return reply.code(304).send(null);
  return reply.type(FEED_TYPES[format]).serializer(String).send(text);
}

function linkOf(
  request: FastifyRequest,
  name: string,
  { secret, createdAt }: CallResult<"feedLink">,
): Static<typeof Link> {
  const address = (format: FeedFormat) =>
    secret === null ? null : `${originOf(request)}/feeds/${tokenFor("tdf", name, secret)}.${format}`;
  return {
    rss: address("rss"),
    atom: address("atom"),
    json: address("json"),
    createdAt: rfc3339OrNull(createdAt),
  };
}

/** As the client sees this server. */
export function originOf({ protocol, host }: FastifyRequest): string {
  return `${protocol}://${host}`;
}
