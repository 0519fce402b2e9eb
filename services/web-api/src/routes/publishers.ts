/** The user's publishers: addresses to which programs post what the user is to be told. */
import { cleanLine, type PublisherView } from "@tidings/protocol";
import type { FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn } from "../session.ts";
import {
  ChangeHeaders,
  Empty,
  IdParams,
  List,
  Nullable,
  PROBLEMS,
  SIGNED_IN,
  Strict,
  Time,
} from "../shapes.ts";
import { rfc3339 } from "../times.ts";
import { originOf } from "./feeds.ts";

const TITLE_CHARS = 200;

const Publisher = Type.Object({
  id: Type.String({ description: "Also the id of the subscription to it." }),
  title: Type.String(),
  token: Type.String({ description: "Whoever has it can publish." }),
  url: Type.String({ description: "Where to post: curl -d 'disk full' <url>." }),
  secret: Type.String({ description: "What answers are signed with, as of Standard Webhooks." }),
  share: Nullable(
    Type.String({ description: "Link with which others can subscribe; null when it is not shared." }),
  ),
  createdAt: Time,
});

const shared = { tags: ["publish"], security: SIGNED_IN } as const;

const listSchema = {
  ...shared,
  operationId: "listPublishers",
  summary: "All publishers",
  response: { 200: List(Publisher), ...PROBLEMS },
} as const;

const addSchema = {
  ...shared,
  operationId: "addPublisher",
  summary: "Make a publisher, and subscribe to it",
  headers: ChangeHeaders,
  body: Strict(
    { title: Type.String({ minLength: 1, maxLength: TITLE_CHARS }) },
    { examples: [{ title: "db1" }] },
  ),
  response: { 201: Publisher, ...PROBLEMS },
} as const;

const endSchema = {
  ...shared,
  operationId: "removePublisher",
  summary: "End a publisher: nothing more can be published with its token",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

const shareSchema = {
  ...shared,
  operationId: "sharePublisher",
  summary: "Let others subscribe, by a link that they give as the address of a subscription",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 200: Publisher, ...PROBLEMS },
} as const;

const unshareSchema = {
  ...shared,
  operationId: "unsharePublisher",
  summary: "Take the link back: whoever has subscribed by it hears no more",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 200: Publisher, ...PROBLEMS },
} as const;

const visitSchema = {
  tags: ["publish"],
  operationId: "visitShare",
  summary: "What the link of a publisher that is shared is for",
  params: Strict({ token: Type.String({ maxLength: 200 }) }),
  response: { 200: Type.String(), ...PROBLEMS },
} as const;

const VISIT =
  "Somebody shares with you what their programs publish. To hear of it, subscribe in Tidings to the address of this page.\n";

/** The route for whoever opens a link in a browser. */
export function shareRoutes(app: App): void {
  app.get("/s/:token", { schema: visitSchema }, async (_request, reply) => {
    reply.type("text/plain; charset=utf-8");
    return VISIT;
  });
}

/** The routes for the user. */
export function publisherRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/publishers", { schema: listSchema }, async (request) => {
    const { items } = await avatars.asUser(callerIn(request), "publishers", {});
    return { items: items.map((view) => publisherOf(request, view)), next: null };
  });

  app.post("/v1/publishers", { schema: addSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const title = cleanLine(request.body.title, TITLE_CHARS);
    if (title === "") throw new Problem(422, "A title holds at least one visible character.");
    const op = operationId(request, caller.name, "addPublisher");
    const view = await avatars.asUser(caller, "addPublisher", { title }, op);
    return reply.code(201).send(publisherOf(request, view));
  });

  app.delete("/v1/publishers/:id", { schema: endSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "removePublisher");
    await avatars.asUser(caller, "removePublisher", request.params, op);
    return reply.code(204).send(null);
  });

  for (const [method, schema, name] of [
    ["POST", shareSchema, "sharePublisher"],
    ["DELETE", unshareSchema, "unsharePublisher"],
  ] as const)
    app.route({
      method,
      url: "/v1/publishers/:id/share",
      schema,
      handler: async (request) => {
        const caller = callerIn(request);
        const op = operationId(request, caller.name, name);
        return publisherOf(request, await avatars.asUser(caller, name, request.params, op));
      },
    });
}

function publisherOf(
  request: FastifyRequest,
  { createdAt, share, ...view }: PublisherView,
): Static<typeof Publisher> {
  const origin = originOf(request);
  return {
    ...view,
    url: `${origin}/p/${view.token}`,
    share: share === undefined ? null : `${origin}/s/${share}`,
    createdAt: rfc3339(createdAt),
  };
}
