import { CallError, cleanLine, type SessionView, userNameProblem } from "@tidings/protocol";
import type { FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { Problem } from "../problem.ts";
import { callerIn, refuseForeignPage, SESSION_COOKIE, tokenOf } from "../session.ts";
import { ChangeHeaders, Empty, IdParams, List, PROBLEMS, SIGNED_IN, Strict, Time } from "../shapes.ts";
import { rfc3339 } from "../times.ts";

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

const Session = Type.Object({
  id: Type.String(),
  label: Type.String({ description: "How the browser or program called itself." }),
  createdAt: Time,
  expiresAt: Time,
  isCurrent: Type.Boolean({ description: "Whether it is the one that asks." }),
});

const listSchema = {
  operationId: "listSessions",
  tags: ["sessions"],
  summary: "Where you are signed in",
  security: SIGNED_IN,
  response: { 200: List(Session), ...PROBLEMS },
} as const;

const endSchema = {
  operationId: "endSession",
  tags: ["sessions"],
  summary: "Sign out somewhere else",
  security: SIGNED_IN,
  params: IdParams,
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
  app.get("/v1/sessions", { schema: listSchema }, async (request) => {
    const { items } = await parts.avatars.asUser(callerIn(request), "sessions", {});
    return { items: items.map(sessionOf), next: null };
  });

  app.delete("/v1/sessions/:id", { schema: endSchema }, async (request, reply) => {
    const caller = callerIn(request);
    const op = operationId(request, caller.name, "end");
    await parts.avatars.asUser(caller, "endSession", request.params, op);
    return reply.code(204).send(null);
  });

  app.delete("/v1/sessions/current", { schema: closeSchema }, async (request, reply) => {
    const caller = callerIn(request);
    await parts.avatars.asUser(caller, "closeSession", {}, operationId(request, caller.name, "close"));
    reply.clearCookie(SESSION_COOKIE, cookieOf(request));
    return reply.code(204).send(null);
  });
}

function sessionOf({ untilAt, createdAt, ...view }: SessionView): Static<typeof Session> {
  return { ...view, createdAt: rfc3339(createdAt), expiresAt: rfc3339(untilAt) };
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
