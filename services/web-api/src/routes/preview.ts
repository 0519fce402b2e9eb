import type { Item } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { feedAddress, lookUp } from "../look-up.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn } from "../session.ts";
import { Nullable, PROBLEMS, SIGNED_IN, Strict, Time } from "../shapes.ts";
import { rfc3339OrNull } from "../times.ts";

const PreviewItem = Type.Object({
  id: Type.String(),
  title: Nullable(Type.String()),
  link: Nullable(Type.String()),
  summary: Nullable(Type.String({ description: "Plain text." })),
  author: Nullable(Type.String()),
  publishedAt: Nullable(Time),
});

const schema = {
  operationId: "previewSubscription",
  tags: ["subscriptions"],
  summary: "What would be subscribed; nothing is stored",
  security: SIGNED_IN,
  body: Strict(
    {
      url: Type.String({ maxLength: 10_000, description: "Address of a feed, or of a page that names one." }),
    },
    { examples: [{ url: "https://example.com/blog" }] },
  ),
  response: {
    200: Type.Object({ url: Type.String(), title: Nullable(Type.String()), items: Type.Array(PreviewItem) }),
    ...PROBLEMS,
  },
} as const;

export function previewRoutes(app: App, { avatars, queue }: Parts): void {
  app.post("/v1/subscriptions/preview", { schema }, async (request) => {
    const url = feedAddress(request.body.url);
    await avatars.asUser(callerIn(request), "profile", {}); // only a user may make Tidings fetch
    const answer = await lookUp(queue, url);
    if (!answer.found) throw new Problem(422, answer.failure.sentence);
    return { url: answer.url, title: answer.title, items: answer.items.map(previewOf) };
  });
}

function previewOf({ id, title, link, summary, author, publishedAt }: Item): Static<typeof PreviewItem> {
  const orNull = (text: string | null) => (text === "" ? null : text);
  return {
    id,
    title: orNull(title),
    link,
    summary: orNull(summary),
    author: orNull(author),
    publishedAt: rfc3339OrNull(publishedAt),
  };
}
