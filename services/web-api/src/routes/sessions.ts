import { CallError, cleanLine, userNameProblem } from "@tidings/protocol";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn, refuseForeignPage, SESSION_COOKIE, tokenOf } from "../session.ts";
import { ChangeHeaders, Empty, PROBLEMS, SIGNED_IN, Strict } from "../shapes.ts";

const LABEL_CHARS = 200;

const openSchema = {
  operationId: "openSession",
  tags: ["sessions"],
  summary: "Sign in",
  description:
    "The password is checked against the IM account. The token is shown once, and set as a cookie as well.",
  headers: ChangeHeaders,
  body: Strict(
    { name: Type.String({ maxLength: 200 }), password: Type.String({ maxLength: 1_000 }) },
    { examples: [{ name: "alice", password: "correct horse battery" }] },
  ),
  response: {
    201: Type.Object(
      { token: Type.String({ description: "For Authorization: Bearer." }) },
      { examples: [{ token: "tds_YWxpY2U_5wXG0z0wLZ2m8bq1fQ3vXA" }] },
    ),
    ...PROBLEMS,
  },
} as const;

const closeSchema = {
  operationId: "closeSession",
  tags: ["sessions"],
  summary: "Sign out",
  security: SIGNED_IN,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

/** Signing in, which needs no session. */
export function signInRoutes(app: App, parts: Parts): void {
  app.post("/v1/sessions", { schema: openSchema }, async (request, reply) => {
    refuseForeignPage(request);
    const { name, password } = request.body;
    await checkPassword(parts, request.ip, name, password);
    const { session, untilAt } = await openSession(parts, request, name);
    const token = tokenOf({ name, session });
    reply.setCookie(SESSION_COOKIE, token, { ...cookieOf(request), expires: new Date(untilAt) });
    reply.code(201);
    return { token };
  });
}

export function sessionRoutes(app: App, parts: Parts): void {
  app.delete("/v1/sessions/current", { schema: closeSchema }, async (request, reply) => {
    const caller = callerIn(request);
    await parts.avatars.asUser(caller, "closeSession", {}, operationId(request, caller.name, "close"));
    reply.clearCookie(SESSION_COOKIE, cookieOf(request));
    return reply.code(204).send(null);
  });
}

async function checkPassword(parts: Parts, ip: string, name: string, password: string): Promise<void> {
  const isKnownShape = userNameProblem(name) === null && password.length > 0;
  const isRight = isKnownShape ? await parts.guard.check(ip, name, password) : await parts.guard.fail(ip);
  if (isRight !== true) throw new Problem(401, "The name or the password is wrong.");
}

async function openSession({ avatars }: Parts, request: FastifyRequest, name: string) {
  const label = cleanLine(request.headers["user-agent"] ?? "", LABEL_CHARS);
  try {
    return await avatars.asService(name, "openSession", { label }, operationId(request, name, "open"));
  } catch (cause) {
    const isUnknown =
      cause instanceof CallError && ["item-not-found", "not-authorized"].includes(cause.condition);
    if (!isUnknown) throw cause;
    // The account is there without its user: a sign-up or an erasure was cut off. Only who knows the password learns it.
    const sentence =
      "The sign-up under this name was never finished; sign up again with the same name and password.";
    throw new Problem(401, sentence, { cause });
  }
}

/** Secure where the request came by https, be it through a trusted proxy; a cookie for http://localhost could not be. */
function cookieOf(request: FastifyRequest) {
  return { path: "/", httpOnly: true, sameSite: "lax", secure: request.protocol === "https" } as const;
}
