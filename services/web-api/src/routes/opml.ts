/** Subscriptions in and out as OPML, the form in which feed readers exchange them. */
import { CallError, canonicalFeedUrl, FeedAddressError } from "@tidings/protocol";
import { RateLimiterMemory } from "rate-limiter-flexible";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import { type ListedFeed, opmlOf, readOpml } from "../opml-document.ts";
import type { App, Parts } from "../parts.ts";
import { problemOfCall } from "../problem.ts";
import { callerIn } from "../session.ts";
import { ChangeHeaders, List, literals, Nullable, PROBLEMS, SIGNED_IN } from "../shapes.ts";
import { consume } from "../sign-in-guard.ts";

const MAX_BODY_BYTES = 2_097_152;
const IMPORTS_PER_MINUTE = 5;
/** Calls to the avatar at a time. */
const AT_A_TIME = 8;

const Result = Type.Object({
  url: Type.String({ description: "As it stands in the document." }),
  title: Nullable(Type.String()),
  outcome: literals(["subscribed", "known", "refused"]),
  id: Nullable(
    Type.String({ description: "Of the subscription; whether its feed can be read shows there." }),
  ),
  problem: Nullable(Type.String({ description: "Why it was refused, and what to do." })),
});
type Result = Static<typeof Result>;

const shared = { tags: ["subscriptions"], security: SIGNED_IN } as const;

const exportSchema = {
  ...shared,
  operationId: "exportOpml",
  summary: "All feeds that are subscribed to, as OPML",
  response: { 200: Type.String(), ...PROBLEMS },
} as const;

const importSchema = {
  ...shared,
  operationId: "importOpml",
  summary: "Subscribe to the feeds of an OPML document",
  description:
    "The body is the document, at most 2 MB and 5,000 feeds. The answer has one result for each feed, in its order.",
  headers: ChangeHeaders,
  response: { 200: List(Result), ...PROBLEMS },
} as const;

export function opmlRoutes(app: App, { avatars }: Parts): void {
  const imports = new RateLimiterMemory({ points: IMPORTS_PER_MINUTE, duration: 60, keyPrefix: "opml" });

  app.get("/v1/opml", { schema: exportSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const { items } = await avatars.asUser(caller, "subscriptions", {});
    const feeds = items.filter(({ source }) => /^https?:/.test(source));
    const document = opmlOf(
      `What ${caller.name} is subscribed to in Tidings`,
      feeds.map(({ source, title }) => ({ url: source, title })),
    );
    return reply
      .type("text/x-opml; charset=utf-8")
      .header("content-disposition", 'attachment; filename="tidings.opml"')
      .serializer(String)
      .send(document);
  });

  app.register(async (scope: App) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
    scope.post("/v1/opml", { schema: importSchema, bodyLimit: MAX_BODY_BYTES }, async (request) => {
      const caller = callerIn(request);
      await consume(imports, caller.name);
      // Only a user can make Tidings read a document.
      await avatars.asUser(caller, "profile", {});
      const feeds = readOpml(typeof request.body === "string" ? request.body : "");
      const subscribe = async (feed: ListedFeed): Promise<Result> => {
        try {
          const args = { url: canonicalFeedUrl(feed.url), title: feed.title, priority: null, atOnce: true };
          const op = operationId(request, caller.name, `opml ${args.url}`);
          const { created, subscription } = await avatars.asUser(caller, "subscribe", args, op);
          return { ...feed, outcome: created ? "subscribed" : "known", id: subscription.id, problem: null };
        } catch (error) {
          return { ...feed, outcome: "refused", id: null, problem: sentenceOf(error) };
        }
      };
      return { items: await inOrder(feeds, subscribe), next: null };
    });
  });
}

/** What does not concern the one feed alone ends the import; the feeds before it are subscribed, and known when it is repeated. */
function sentenceOf(error: unknown): string {
  if (error instanceof FeedAddressError) return error.message;
  if (error instanceof CallError && problemOfCall(error).status === 422) return error.message;
  throw error;
}

/** The results of `work` in the order of `items`, some at a time. */
async function inOrder<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, worker));
  return results;
}
