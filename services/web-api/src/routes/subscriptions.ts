import { CallError, cleanLine, type SubscriptionView, sharedSource } from "@tidings/protocol";
import type { FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { type AvatarCalls, operationId } from "../avatar-calls.ts";
import { feedAddress, lookUp } from "../look-up.ts";
import type { App, Parts } from "../parts.ts";
import { PriorityInput, PriorityWord, priorityWord } from "../priority.ts";
import { Problem } from "../problem.ts";
import { type Caller, callerIn } from "../session.ts";
import {
  ChangeHeaders,
  Empty,
  IdParams,
  List,
  literals,
  Nullable,
  PROBLEMS,
  SIGNED_IN,
  Strict,
  Time,
} from "../shapes.ts";
import { rfc3339, rfc3339OrNull } from "../times.ts";
import { originOf } from "./feeds.ts";

const TITLE_CHARS = 200;

/** What is wrong with one is said by the avatar, which reads it as part of the rules. */
const FilterInput = Type.Unknown({
  description:
    "What it lets through: one of all, any, not, contains or matches, as in the rules; null for everything.",
});

const EDITS = "Whether you are told again when an item of the feed is edited.";

const Subscription = Type.Object(
  {
    id: Type.String(),
    source: Type.String({ description: "Canonical address of the feed." }),
    title: Type.String(),
    state: literals(["checking", "active", "failing", "ended"]),
    problem: Nullable(Type.String({ description: "Why it is failing or ended." })),
    priority: PriorityWord,
    filter: FilterInput,
    edits: Type.Boolean({ description: EDITS }),
    createdAt: Time,
  },
  {
    examples: [
      {
        id: "rss.5f2b0c6f1f0a4f0e9b7c2d1e3a4b5c6d",
        source: "https://example.com/feed.xml",
        title: "Example",
        state: "active",
        problem: null,
        priority: "default",
        edits: false,
        filter: { any: [{ contains: "rooms" }, { in: "author", matches: "^Ann" }] },
        createdAt: "2026-03-01T08:00:00.000Z",
      },
    ],
  },
);

/** Only what was said. */
const wishes = (filter: unknown, edits: boolean | undefined) => ({
  ...(filter === undefined ? {} : { filter }),
  ...(edits === undefined ? {} : { edits }),
});

/** Sources of feeds are called so. */
const FEED_PREFIX = "rss.";
const POLLS_TIMEOUT_MS = 2_000;
const Title = Type.String({ minLength: 1, maxLength: TITLE_CHARS });
const shared = { tags: ["subscriptions"], security: SIGNED_IN } as const;

const listSchema = {
  ...shared,
  operationId: "listSubscriptions",
  summary: "All subscriptions",
  response: { 200: List(Subscription), ...PROBLEMS },
} as const;

const subscribeSchema = {
  ...shared,
  operationId: "subscribe",
  summary: "Subscribe to a feed",
  description: "201 when it is new; the same feed again is 200 with the same id.",
  headers: ChangeHeaders,
  body: Strict(
    {
      url: Type.String({
        maxLength: 10_000,
        description:
          "Address of a feed, of a page that names one, or the link of a publisher that is shared.",
      }),
      title: Type.Optional(Title),
      priority: Type.Optional(PriorityInput),
      filter: Type.Optional(FilterInput),
      edits: Type.Optional(Type.Boolean({ description: EDITS })),
    },
    { examples: [{ url: "https://example.com/blog", priority: "high" }] },
  ),
  response: { 200: Subscription, 201: Subscription, ...PROBLEMS },
} as const;

const Polls = Type.Object(
  {
    nextAt: Nullable(Time),
    newestAt: Nullable(Time),
    failures: Type.Integer({ description: "Since a poll that went well." }),
    isPushed: Type.Boolean({ description: "A hub sends what is new; polls make sure." }),
  },
  { description: "How the feed is asked: when next (null: just now), and when something new came last." },
);

const readSchema = {
  ...shared,
  operationId: "readSubscription",
  summary: "One subscription, and how its feed is asked",
  params: IdParams,
  response: {
    200: Type.Object({ ...Subscription.properties, polls: Nullable(Polls) }),
    ...PROBLEMS,
  },
} as const;

const changeSchema = {
  ...shared,
  operationId: "changeSubscription",
  summary: "Change the title, the priority, the filter, or whether edits are told",
  params: IdParams,
  headers: ChangeHeaders,
  body: Strict(
    {
      title: Type.Optional(Title),
      priority: Type.Optional(PriorityInput),
      filter: Type.Optional(FilterInput),
      edits: Type.Optional(Type.Boolean({ description: EDITS })),
    },
    { minProperties: 1, examples: [{ title: "Rooms", priority: 5 }] },
  ),
  response: { 200: Subscription, ...PROBLEMS },
} as const;

const endSchema = {
  ...shared,
  operationId: "unsubscribe",
  summary: "End a subscription",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function subscriptionRoutes(app: App, parts: Parts): void {
  addListRoutes(app, parts);
  addItemRoutes(app, parts);
}

function addListRoutes(app: App, parts: Parts): void {
  const { avatars } = parts;

  app.get("/v1/subscriptions", { schema: listSchema }, async (request) => {
    const { items } = await avatars.asUser(callerIn(request), "subscriptions", {});
    return { items: items.map(subscriptionOf), next: null };
  });

  app.post("/v1/subscriptions", { schema: subscribeSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const { url, title, priority, filter, edits } = request.body;
    const args = {
      title: title === undefined ? null : titleOf(title),
      priority: priority === undefined ? null : priorityWord(priority),
    };
    const found = shareIn(request, url) ?? (await findFeed(parts, caller, feedAddress(url)));
    const op = operationId(request, caller.name, "subscribe");
    const { created, subscription } = await avatars.asUser(
      caller,
      "subscribe",
      { url: found, ...args, ...wishes(filter, edits) },
      op,
    );
    return reply.code(created ? 201 : 200).send(subscriptionOf(subscription));
  });
}

function addItemRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/subscriptions/:id", { schema: readSchema }, async (request) => {
    const subscription = await avatars.asUser(callerIn(request), "subscription", request.params);
    return { ...subscriptionOf(subscription), polls: await pollsOf(avatars, subscription.id) };
  });

  app.patch("/v1/subscriptions/:id", { schema: changeSchema }, async (request) => {
    const caller = callerIn(request);
    const { title, priority, filter, edits } = request.body;
    const args = {
      id: request.params.id,
      ...(title === undefined ? {} : { title: titleOf(title) }),
      ...(priority === undefined ? {} : { priority: priorityWord(priority) }),
      ...wishes(filter, edits),
    };
    const op = operationId(request, caller.name, "change");
    return subscriptionOf(await avatars.asUser(caller, "changeSubscription", args, op));
  });

  app.delete("/v1/subscriptions/:id", { schema: endSchema }, async (request, reply) => {
    const caller = callerIn(request);
    await avatars.asUser(caller, "unsubscribe", request.params, operationId(request, caller.name, "end"));
    return reply.code(204).send(null);
  });
}

/**
 * The canonical address of the feed at `url`. A feed that the caller has already is found even while its site is down.
 * Asking for the subscriptions first also makes sure that only a user can make Tidings fetch.
 */
async function findFeed({ avatars, queue }: Parts, caller: Caller, url: string): Promise<string> {
  const { items } = await avatars.asUser(caller, "subscriptions", {});
  if (items.some(({ source }) => source === url)) return url;
  const answer = await lookUp(queue, url);
  if (!answer.found) throw new Problem(422, answer.failure.sentence);
  return answer.url;
}

/** The token in a link by which one of our users shares a publisher; null when `url` is none. */
function shareIn(request: FastifyRequest, url: string): string | null {
  const prefix = `${originOf(request)}/s/`;
  const token = url.trim().startsWith(prefix) ? url.trim().slice(prefix.length) : "";
  return sharedSource(token) === null ? null : token;
}

function titleOf(typed: string): string {
  const title = cleanLine(typed, TITLE_CHARS);
  if (title === "")
    throw new Problem(
      422,
      "A title holds at least one visible character; leave it out to use the feed's own.",
    );
  return title;
}

/** Null for what is no feed, and while its avatar does not answer. */
async function pollsOf(avatars: AvatarCalls, source: string): Promise<Static<typeof Polls> | null> {
  if (!source.startsWith(FEED_PREFIX)) return null;
  try {
    const standing = await avatars.asService(source, "pollStanding", {}, undefined, POLLS_TIMEOUT_MS);
    if (!standing.knows) return null;
    const { nextAt, newestAt, failures, isPushed } = standing;
    return { nextAt: rfc3339OrNull(nextAt), newestAt: rfc3339OrNull(newestAt), failures, isPushed };
  } catch (error) {
    if (error instanceof CallError) return null;
    throw error;
  }
}

function subscriptionOf({ createdAt, ...view }: SubscriptionView): Static<typeof Subscription> {
  return { ...view, createdAt: rfc3339(createdAt) };
}
