import { type DestinationView, isAgentChannel } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import { destinationAddress } from "../destination-address.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn } from "../session.ts";
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
import { rfc3339OrNull } from "../times.ts";

const ChannelWord = literals(["im", "sms", "email", "web", "feed", "webhook"]);

const Destination = Type.Object(
  {
    id: Type.String(),
    channel: ChannelWord,
    address: Type.String(),
    state: literals(["unverified", "verified", "disabled"]),
    code: Nullable(
      Type.String({
        description: "For im: what to send from the address to the agent. Else it is sent to the address.",
      }),
    ),
    codeUntil: Nullable(Time),
    problem: Nullable(Type.String()),
    secret: Type.Optional(
      Type.String({
        description: "Of a webhook: what its messages are signed with, as of Standard Webhooks.",
      }),
    ),
    howTo: Nullable(Type.String({ description: "How to verify the address; null once it is." })),
  },
  {
    examples: [
      {
        id: "d2",
        channel: "im",
        address: "alice@example.org",
        state: "unverified",
        code: "482913",
        codeUntil: "2026-03-01T08:10:00.000Z",
        problem: null,
        howTo: "Add alice@im.agents.tidings.localhost as a contact from this address and send it the code.",
      },
    ],
  },
);

const shared = { tags: ["destinations"], security: SIGNED_IN } as const;

const listSchema = {
  ...shared,
  operationId: "listDestinations",
  summary: "All addresses that Tidings may deliver to",
  response: { 200: List(Destination), ...PROBLEMS },
} as const;

const addSchema = {
  ...shared,
  operationId: "addDestination",
  summary: "Add an address; it receives nothing until it is verified",
  headers: ChangeHeaders,
  body: Strict(
    { channel: ChannelWord, address: Type.String({ maxLength: 3_071 }) },
    { examples: [{ channel: "im", address: "alice@example.org" }] },
  ),
  response: { 200: Destination, 201: Destination, ...PROBLEMS },
} as const;

const verifySchema = {
  ...shared,
  operationId: "verifyDestination",
  summary: "Prove a number, a mail address or a webhook by the code that was sent there",
  params: IdParams,
  headers: ChangeHeaders,
  body: Strict({ code: Type.String({ minLength: 1, maxLength: 40 }) }, { examples: [{ code: "482913" }] }),
  response: { 200: Destination, ...PROBLEMS },
} as const;

const testSchema = {
  ...shared,
  operationId: "testDestination",
  summary: "Send a test to a verified address; what becomes of it is said under problem",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 202: Destination, ...PROBLEMS },
} as const;

const removeSchema = {
  ...shared,
  operationId: "removeDestination",
  summary: "Remove an address",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function destinationRoutes(app: App, { avatars, addresses }: Parts): void {
  const viewFor = (user: string) => (view: DestinationView) => destinationOf(view, `${user}@${addresses.im}`);

  app.get("/v1/destinations", { schema: listSchema }, async (request) => {
    const caller = callerIn(request);
    const { items } = await avatars.asUser(caller, "destinations", {});
    return { items: items.map(viewFor(caller.name)), next: null };
  });

  app.post("/v1/destinations", { schema: addSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const { channel, address: typed } = request.body;
    if (!isAgentChannel(channel))
      throw new Problem(
        422,
        `The channel ${channel} is not part of this release; use im, sms, email or webhook.`,
      );
    const checked = destinationAddress(channel, typed, addresses);
    if ("problem" in checked) throw new Problem(422, checked.problem);
    const args = { channel, address: checked.address } as const;
    const op = operationId(request, caller.name, "add");
    const { created, destination } = await avatars.asUser(caller, "addDestination", args, op);
    return reply.code(created ? 201 : 200).send(viewFor(caller.name)(destination));
  });

  app.post("/v1/destinations/:id/verify", { schema: verifySchema }, async (request) => {
    const caller = callerIn(request);
    const args = { id: request.params.id, code: request.body.code };
    const op = operationId(request, caller.name, "verify");
    return viewFor(caller.name)(await avatars.asUser(caller, "verifyDestination", args, op));
  });

  app.post("/v1/destinations/:id/test", { schema: testSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "test");
    const view = await avatars.asUser(caller, "testDestination", request.params, op);
    return reply.code(202).send(viewFor(caller.name)(view));
  });

  app.delete("/v1/destinations/:id", { schema: removeSchema }, async (request, reply) => {
    const caller = callerIn(request);
    await avatars.asUser(
      caller,
      "removeDestination",
      request.params,
      operationId(request, caller.name, "remove"),
    );
    return reply.code(204).send(null);
  });
}

const HOW_TO = {
  im: (agent: string) => `Add ${agent} as a contact from this address and send it the code.`,
  sent: () => "A code was sent to this address; enter it here within ten minutes.",
};

function destinationOf({ codeUntilAt, ...view }: DestinationView, agent: string): Static<typeof Destination> {
  const isOpen = view.state === "unverified";
  const howTo = isOpen ? HOW_TO[view.channel === "im" ? "im" : "sent"](agent) : null;
  return { ...view, codeUntil: rfc3339OrNull(codeUntilAt), howTo };
}
