/**
 * What operators do for a user: sign them up, hand out what is kept of them, erase them. They act with a session of the user's
 * avatar, which ends afterwards; while it lasts the user sees it in their list.
 */
import { CallError } from "@tidings/protocol";
import Type from "typebox";
import { operationId } from "../avatar-calls.ts";
import { eraseUser } from "../erase-user.ts";
import { ExportFile, exportFile } from "../export-document.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import type { Caller } from "../session.ts";
import { ChangeHeaders, Empty, PROBLEMS } from "../shapes.ts";
import { signUp } from "../sign-up.ts";
import { NewUser, SignedUp, signedUp } from "./users.ts";

const LABEL = "operator of this installation";

const shared = { tags: ["operations"], security: [{ operator: [] }] } as const;
const NameParams = Type.Object({ name: Type.String({ pattern: "^[a-z0-9-]{2,32}$" }) });

const addSchema = {
  ...shared,
  operationId: "addUser",
  summary: "Create an IM account and the user that owns it, for somebody else",
  headers: ChangeHeaders,
  body: NewUser,
  response: { 201: SignedUp, ...PROBLEMS },
} as const;

const exportSchema = {
  ...shared,
  operationId: "exportUser",
  summary: "Everything that Tidings keeps of a user, as one JSON file",
  params: NameParams,
  response: { 200: ExportFile, ...PROBLEMS },
} as const;

const eraseSchema = {
  ...shared,
  operationId: "eraseUser",
  summary: "Erase a user: subscriptions, history, destinations, sessions, and the IM account",
  params: NameParams,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function operatorUserRoutes(app: App, parts: Parts): void {
  app.post("/v1/operations/users", { schema: addSchema }, async (request, reply) => {
    const { name, password } = request.body;
    const profile = await signUp(parts, request, name, password);
    return reply.code(201).send(signedUp(profile, parts));
  });

  app.get(
    "/v1/operations/users/:name/export",
    { schema: exportSchema },
    async ({ params: { name } }, reply) => {
      const caller = await sessionFor(parts, name);
      const file = await exportFile(parts.avatars, caller, () => void end(parts, caller));
      parts.log.info({ user: name }, "operator exports a user");
      return reply.type("application/json; charset=utf-8").send(file);
    },
  );

  app.delete("/v1/operations/users/:name", { schema: eraseSchema }, async (request, reply) => {
    const { name } = request.params;
    const caller = await sessionFor(parts, name);
    await eraseUser(parts, caller, operationId(request, "operator", "erase"));
    return reply.code(204).send(null);
  });
}

async function sessionFor({ avatars }: Parts, name: string): Promise<Caller> {
  try {
    const { session } = await avatars.asService(name, "openSession", { label: LABEL });
    return { name, session };
  } catch (cause) {
    const isUnknown =
      cause instanceof CallError && ["item-not-found", "not-authorized"].includes(cause.condition);
    throw isUnknown ? new Problem(404, `There is no user called ${name}.`, { cause }) : cause;
  }
}

/** A session that could not be ended ends by itself. */
async function end({ avatars, log }: Parts, caller: Caller): Promise<void> {
  try {
    await avatars.asUser(caller, "closeSession", {});
  } catch (error) {
    log.warn({ err: error, user: caller.name }, "an operator's session was not ended");
  }
}
