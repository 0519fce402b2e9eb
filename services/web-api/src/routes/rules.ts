/** The user's rules, versioned by ETag (RFC 9110 §8.8.3), and what they would make of a notification. */
import { type CallResult, ImaginedNotification, RULE_LIMITS } from "@tidings/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import type { App, Parts } from "../parts.ts";
import { PriorityInput, PriorityWord, priorityWord } from "../priority.ts";
import { Problem } from "../problem.ts";
import { type Caller, callerIn } from "../session.ts";
import { ChangeHeaders, literals, Nullable, PROBLEMS, SIGNED_IN, Strict, Time } from "../shapes.ts";
import { rfc3339, rfc3339OrNull } from "../times.ts";

const EXAMPLE = {
  zone: "Europe/Berlin",
  quietHours: [{ from: "22:00", to: "07:00" }],
  ladders: { urgent: [{ to: "im" }, { unless: "received", within: "PT2M" }, { to: "sms" }] },
  rules: [{ name: "fire", when: { match: { contains: "on fire" } }, set: { priority: "urgent" } }],
};

/** Its fields are checked by the avatar, which knows what the user has, so that each problem has its place and sentence. */
const Document = Type.Unknown({
  description:
    "zone, ladders, subscriptions, rules, quietHours, held, burst, dedup, sms, retention; what is left out is as by default.",
  examples: [EXAMPLE],
});

const shared = { tags: ["rules"], security: SIGNED_IN } as const;

const readSchema = {
  ...shared,
  operationId: "readRules",
  summary: "The whole routing document; its version is the ETag",
  response: { 200: Document, ...PROBLEMS },
} as const;

const putSchema = {
  ...shared,
  operationId: "putRules",
  summary: "Replace the routing document",
  description:
    "With If-Match only when the version is still that one, else 412. A document that contradicts itself is 422 with a list of what to change.",
  headers: Type.Object({
    ...ChangeHeaders.properties,
    "if-match": Type.Optional(
      Type.String({ maxLength: 100, description: "The ETag that the document is based on." }),
    ),
  }),
  body: Document,
  response: { 200: Document, ...PROBLEMS },
} as const;

const Presence = Strict({
  address: Type.Optional(
    Type.String({ maxLength: 3_071, description: "One of one's IM addresses; left out, the first." }),
  ),
  show: literals(["chat", "available", "away", "xa", "dnd", "offline"]),
  idleSince: Type.Optional(Nullable(Time)),
});

const Imagined = Strict({
  ...ImaginedNotification.properties,
  priority: Type.Optional(PriorityInput),
});

const Decisions = Type.Object({
  at: Time,
  priority: PriorityWord,
  rule: Nullable(Type.String({ description: "The rule that matched." })),
  decisions: Type.Array(
    Type.Object({
      destination: Type.String(),
      channel: literals(["im", "sms", "email", "web", "feed", "webhook"]),
      action: literals(["dispatch", "hold", "skip"]),
      until: Nullable(Time),
      because: Type.String({ description: "The reason as a word." }),
      reason: Type.String({ description: "The reason as a sentence." }),
    }),
  ),
});

const simulateSchema = {
  ...shared,
  operationId: "simulateRules",
  summary: "What would be decided, and why; nothing is sent",
  description:
    "For a notification of the history as it was when it came (historyId), or for one that is made up (notification).",
  body: Strict(
    {
      historyId: Type.Optional(Type.String({ maxLength: 100 })),
      notification: Type.Optional(Imagined),
      presence: Type.Optional(Type.Union([Presence, Type.Array(Presence, { maxItems: 20 })])),
      at: Type.Optional(Time),
    },
    { examples: [{ notification: { title: "Disk full", priority: "urgent" }, presence: { show: "away" } }] },
  ),
  response: { 200: Decisions, ...PROBLEMS },
} as const;

export function ruleRoutes(app: App, parts: Parts): void {
  app.get("/v1/rules", { schema: readSchema }, async (request, reply) =>
    answerRules(parts, callerIn(request), reply),
  );

  app.put(
    "/v1/rules",
    { schema: putSchema, bodyLimit: 2 * RULE_LIMITS.documentBytes },
    async (request, reply) => {
      const caller = callerIn(request);
      const args = { rules: request.body ?? null, ifVersion: versionIn(request) };
      const op = operationId(request, caller.name, "put");
      const answer = await parts.avatars.asUser(caller, "putRules", args, op);
      if (answer.outcome === "refused") throw refused(answer.problems);
      if (answer.outcome === "stale") throw new Problem(412, STALE);
      return answerRules(parts, caller, reply);
    },
  );

  app.post("/v1/rules/simulate", { schema: simulateSchema }, async (request) => {
    const { historyId, notification, presence, at } = request.body;
    const args = {
      historyId: historyId ?? null,
      notification: notification === undefined ? null : imagined(notification),
      presence: presence === undefined ? null : [presence].flat().map(presenceOf),
      at: at === undefined ? null : timeIn(at, "at"),
    };
    return decisionsOf(await parts.avatars.asUser(callerIn(request), "simulate", args));
  });
}

const STALE =
  "The rules have been changed meanwhile; read them again, and put your change into what is there now.";

async function answerRules({ avatars }: Parts, caller: Caller, reply: FastifyReply): Promise<unknown> {
  const { version, rules } = await avatars.asUser(caller, "rules", {});
  reply.header("etag", `"${version}"`);
  return rules;
}

/** The version that `If-Match` names; null without it, or with `*`. A tag that is none of ours fits no version. */
function versionIn(request: FastifyRequest): number | null {
  const tag = request.headers["if-match"]?.trim();
  if (tag === undefined || tag === "*") return null;
  const digits = /^"(\d{1,15})"$/.exec(tag)?.[1];
  if (digits === undefined) throw new Problem(412, STALE);
  return Number(digits);
}

function refused(problems: readonly { readonly pointer: string; readonly detail: string }[]): Problem {
  const [first] = problems;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more, see errors)` : "";
  return new Problem(422, `${first?.pointer || "The document"}: ${first?.detail}${more}`, {
    errors: problems.map(({ pointer, detail }) => ({ detail, pointer })),
  });
}

function imagined({ priority, ...notification }: Static<typeof Imagined>) {
  return priority === undefined ? notification : { ...notification, priority: priorityWord(priority) };
}

function presenceOf({ idleSince, ...presence }: Static<typeof Presence>) {
  const idleSinceAt = idleSince === undefined || idleSince === null ? null : timeIn(idleSince, "idleSince");
  return { ...presence, idleSinceAt };
}

function timeIn(text: string, field: string): number {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new Problem(422, `Write ${field} as in RFC 3339, such as 2026-03-01T08:00:00Z.`);
}

function decisionsOf({ at, priority, rule, decisions }: CallResult<"simulate">): Static<typeof Decisions> {
  return {
    at: rfc3339(at),
    priority,
    rule,
    decisions: decisions.map(({ untilAt, ...decision }) => ({ ...decision, until: rfc3339OrNull(untilAt) })),
  };
}
