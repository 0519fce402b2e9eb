/** The user's addresses for mail: forward what you want to be told to one of them. */
import { cleanLine, type InboxView } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn } from "../session.ts";
import { ChangeHeaders, Empty, IdParams, List, PROBLEMS, SIGNED_IN, Strict, Time } from "../shapes.ts";
import { rfc3339 } from "../times.ts";

const TITLE_CHARS = 200;

const Inbox = Type.Object({
  id: Type.String({ description: "Also the id of the subscription to it." }),
  title: Type.String(),
  address: Type.String({ description: "Whoever has it can send to it." }),
  createdAt: Time,
});

const shared = { tags: ["inboxes"], security: SIGNED_IN } as const;

const listSchema = {
  ...shared,
  operationId: "listInboxes",
  summary: "All addresses for inbound mail",
  response: { 200: List(Inbox), ...PROBLEMS },
} as const;

const addSchema = {
  ...shared,
  operationId: "addInbox",
  summary: "Make an address for inbound mail, and subscribe to it",
  headers: ChangeHeaders,
  body: Strict(
    { title: Type.String({ minLength: 1, maxLength: TITLE_CHARS, description: "What it is for." }) },
    { examples: [{ title: "Flats" }] },
  ),
  response: { 201: Inbox, ...PROBLEMS },
} as const;

const endSchema = {
  ...shared,
  operationId: "removeInbox",
  summary: "End an address: mail to it is refused",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function inboxRoutes(app: App, { avatars, mailDomain }: Parts): void {
  const inboxOf = ({ local, createdAt, ...view }: InboxView): Static<typeof Inbox> => ({
    ...view,
    address: `${local}@${mailDomain}`,
    createdAt: rfc3339(createdAt),
  });

  app.get("/v1/inboxes", { schema: listSchema }, async (request) => {
    const { items } = await avatars.asUser(callerIn(request), "inboxes", {});
    return { items: items.map(inboxOf), next: null };
  });

  app.post("/v1/inboxes", { schema: addSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const title = cleanLine(request.body.title, TITLE_CHARS);
    if (title === "") throw new Problem(422, "A title holds at least one visible character.");
    const op = operationId(request, caller.name, "addInbox");
    return reply.code(201).send(inboxOf(await avatars.asUser(caller, "addInbox", { title }, op)));
  });

  app.delete("/v1/inboxes/:id", { schema: endSchema }, async (request, reply) => {
    const caller = callerIn(request);
    await avatars.asUser(
      caller,
      "removeInbox",
      request.params,
      operationId(request, caller.name, "endInbox"),
    );
    return reply.code(204).send(null);
  });
}
