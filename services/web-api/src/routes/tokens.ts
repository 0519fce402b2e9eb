/** API tokens: what a program asks with in its user's name, with no more rights than it needs. */
import { cleanLine, type TokenView } from "@tidings/protocol";
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
  literals,
  Nullable,
  PROBLEMS,
  SIGNED_IN,
  Strict,
  Time,
} from "../shapes.ts";
import { rfc3339, rfc3339OrNull } from "../times.ts";
import { tokenFor } from "../user-token.ts";

const TITLE_CHARS = 200;

const Scopes = Type.Array(literals(["read", "act", "write"]), {
  minItems: 1,
  maxItems: 3,
  description:
    "`read` sees everything; `act` does something with notifications; `write` makes other changes, but for sessions, tokens and " +
    "the erasure of the user, for which one has to sign in.",
});

const Token = Type.Object({
  id: Type.String(),
  title: Type.String(),
  scopes: Scopes,
  createdAt: Time,
  expiresAt: Nullable(Time),
});

const NewToken = Type.Object({
  ...Token.properties,
  token: Type.String({ description: "For Authorization: Bearer. It is not shown again." }),
});

const shared = { tags: ["tokens"], security: SIGNED_IN } as const;

const listSchema = {
  ...shared,
  operationId: "listTokens",
  summary: "All API tokens",
  response: { 200: List(Token), ...PROBLEMS },
} as const;

const addSchema = {
  ...shared,
  operationId: "addToken",
  summary: "Make an API token",
  headers: ChangeHeaders,
  body: Strict(
    {
      title: Type.String({ minLength: 1, maxLength: TITLE_CHARS, description: "What it is for." }),
      scopes: Type.Optional(Scopes),
      expiresAt: Type.Optional(
        Nullable(
          Type.String({ maxLength: 40, description: "RFC 3339; null: it stays until it is removed." }),
        ),
      ),
    },
    { examples: [{ title: "Home dashboard", scopes: ["read"] }] },
  ),
  response: { 201: NewToken, ...PROBLEMS },
} as const;

const endSchema = {
  ...shared,
  operationId: "removeToken",
  summary: "End an API token",
  params: IdParams,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function tokenRoutes(app: App, { avatars }: Parts): void {
  app.get("/v1/tokens", { schema: listSchema }, async (request) => {
    const { items } = await avatars.asUser(callerIn(request), "tokens", {});
    return { items: items.map(tokenView), next: null };
  });

  app.post("/v1/tokens", { schema: addSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const { scopes = ["read"], expiresAt = null } = request.body;
    const title = cleanLine(request.body.title, TITLE_CHARS);
    if (title === "") throw new Problem(422, "A title holds at least one visible character.");
    const args = { title, scopes, untilAt: expiresAt === null ? null : timeOf(expiresAt) };
    const op = operationId(request, caller.name, "addToken");
    const { secret, token } = await avatars.asUser(caller, "addToken", args, op);
    return reply.code(201).send({ ...tokenView(token), token: tokenFor("tdt", caller.name, secret) });
  });

  app.delete("/v1/tokens/:id", { schema: endSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "removeToken");
    await avatars.asUser(caller, "removeToken", request.params, op);
    return reply.code(204).send(null);
  });
}

function tokenView({ createdAt, untilAt, ...view }: TokenView): Static<typeof Token> {
  return { ...view, createdAt: rfc3339(createdAt), expiresAt: rfc3339OrNull(untilAt) };
}

function timeOf(text: string): number {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    throw new Problem(422, "expiresAt is a time as of RFC 3339, such as 2030-01-31T12:00:00Z.");
  return at;
}
