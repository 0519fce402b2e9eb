/** The operators' routes: for who shows the token of the installation. For everybody else they do not exist. */
import { DeadLetterId } from "@tidings/protocol";
import { isSameSecret } from "@tidings/runtime";
import type { FastifyRequest } from "fastify";
import Type from "typebox";
import { operationId } from "../avatar-calls.ts";
import { listDeadLetters, replayDeadLetter } from "../dead-letters.ts";
import type { App, Parts } from "../parts.ts";
import { nothingHere } from "../problem.ts";
import { ChangeHeaders, Empty, List, Nullable, PROBLEMS, Strict, Time } from "../shapes.ts";
import { rfc3339OrNull } from "../times.ts";

const DeadLetter = Type.Object({
  id: Type.String(),
  owner: Type.String({
    description: "Whose it is: an avatar, a shard such as _17, or the queue tidings.dead.",
  }),
  at: Nullable(Time),
  kind: Type.String({
    examples: ["event", "reports", "pollResult", "alarm", "takenOver", "continue", "frame", "pollJob"],
  }),
  error: Type.String({ description: "What happened." }),
  excerpt: Type.String({ description: "The beginning of what it says." }),
});

const shared = { tags: ["operations"], security: [{ operator: [] }] } as const;

const listSchema = {
  ...shared,
  operationId: "listDeadLetters",
  summary: "What could not be taken or delivered, and waits to be replayed",
  querystring: Strict({
    limit: Type.Optional(Type.Number({ multipleOf: 1, minimum: 1, maximum: 200, default: 50 })),
    cursor: Type.Optional(Type.Union([DeadLetterId], { description: "The next of the page before." })),
  }),
  response: { 200: List(DeadLetter), ...PROBLEMS },
} as const;

const replaySchema = {
  ...shared,
  operationId: "replayDeadLetter",
  summary: "Try a dead letter again, once; it is gone from the list when that went well",
  params: Type.Object({ id: DeadLetterId }),
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function operationRoutes(app: App, parts: Parts): void {
  app.get("/v1/operations/dead-letters", { schema: listSchema }, async ({ query }) => {
    const { items, next } = await listDeadLetters(parts, query.cursor ?? null, query.limit ?? 50);
    return { items: items.map((item) => ({ ...item, at: rfc3339OrNull(item.at) })), next };
  });

  app.post("/v1/operations/dead-letters/:id/replay", { schema: replaySchema }, async (request, reply) => {
    const { id } = request.params;
    await replayDeadLetter(parts, id, operationId(request, "operator", "replay"));
    parts.log.info({ letter: id }, "dead letter replayed");
    return reply.code(204).send(null);
  });
}

/** Throws Problem 404 unless `request` carries the operators' token. Without a token set, nobody is an operator. */
export function requireOperator(request: FastifyRequest, operatorToken: string | null): void {
  const shown = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
  if (operatorToken === null || shown === undefined || !isSameSecret(shown, operatorToken))
    throw nothingHere();
}
