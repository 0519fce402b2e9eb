import type { DestinationView } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import { imAddress } from "../im-address.ts";
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
    code: Nullable(Type.String({ description: "What to send from the address to the agent." })),
    codeUntil: Nullable(Time),
    problem: Nullable(Type.String()),
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
    if (channel !== "im")
      throw new Problem(422, `The channel ${channel} is not part of this release; use im.`);
    const checked = imAddress(typed, addresses);
    if ("problem" in checked) throw new Problem(422, checked.problem);
    const args = { channel, address: checked.address } as const;
    const op = operationId(request, caller.name, "add");
    const { created, destination } = await avatars.asUser(caller, "addDestination", args, op);
    return reply.code(created ? 201 : 200).send(viewFor(caller.name)(destination));
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

function destinationOf({ codeUntilAt, ...view }: DestinationView, agent: string): Static<typeof Destination> {
  const isOpen = view.state === "unverified";
  const howTo = isOpen ? `Add ${agent} as a contact from this address and send it the code.` : null;
  return { ...view, codeUntil: rfc3339OrNull(codeUntilAt), howTo };
}
