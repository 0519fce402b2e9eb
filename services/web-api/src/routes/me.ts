import type { ProfileView } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { operationId } from "../avatar-calls.ts";
import { eraseUser } from "../erase-user.ts";
import type { App, Parts } from "../parts.ts";
import { callerIn, SESSION_COOKIE } from "../session.ts";
import { ChangeHeaders, Empty, literals, Nullable, PROBLEMS, SIGNED_IN, Time } from "../shapes.ts";
import { rfc3339, rfc3339OrNull } from "../times.ts";

const Presence = Type.Object({
  address: Type.String(),
  resource: Type.String(),
  show: literals(["chat", "available", "away", "xa", "dnd", "offline"]),
  priority: Type.Integer(),
  idleSince: Nullable(Time),
});

const Me = Type.Object(
  {
    name: Type.String(),
    jid: Type.String(),
    agent: Type.String(),
    inbox: Nullable(Type.String({ description: "An address for inbound mail; null when all are removed." })),
    createdAt: Time,
    pausedUntil: Nullable(Time),
    presence: Type.Array(Presence, { description: "Where Tidings believes the user to be reachable." }),
    limits: Type.Object({ subscriptions: Type.Integer(), destinations: Type.Integer() }),
  },
  {
    examples: [
      {
        name: "alice",
        jid: "alice@tidings.localhost",
        agent: "alice@im.agents.tidings.localhost",
        inbox: "k3xq7ynd2mzt5w6rjv4h@in.tidings.localhost",
        createdAt: "2026-03-01T08:00:00.000Z",
        pausedUntil: null,
        presence: [],
        limits: { subscriptions: 200, destinations: 20 },
      },
    ],
  },
);

const readSchema = {
  operationId: "readMe",
  tags: ["me"],
  summary: "The profile, presence as seen, and limits",
  security: SIGNED_IN,
  response: { 200: Me, ...PROBLEMS },
} as const;

const eraseSchema = {
  operationId: "eraseMe",
  tags: ["me"],
  summary: "Erase everything: subscriptions, history, destinations, sessions, and the IM account",
  security: SIGNED_IN,
  headers: ChangeHeaders,
  response: { 204: Empty, ...PROBLEMS },
} as const;

export function meRoutes(app: App, parts: Parts): void {
  app.get("/v1/me", { schema: readSchema }, async (request) =>
    meOf(await parts.avatars.asUser(callerIn(request), "profile", {}), parts),
  );

  app.delete("/v1/me", { schema: eraseSchema }, async (request, reply) => {
    const caller = callerIn(request);
    await eraseUser(parts, caller, operationId(request, caller.name, "erase"));
    reply.clearCookie(SESSION_COOKIE, { path: "/" });
    return reply.code(204).send(null);
  });
}

/** One resource, as the interface shows it. */
export function presenceOf({ idleSinceAt, ...seen }: ProfileView["presence"][number]) {
  return { ...seen, idleSince: rfc3339OrNull(idleSinceAt) };
}

/** The address of the user's oldest inbox. */
export function inboxAddress(
  { inbox }: ProfileView,
  { mailDomain }: Pick<Parts, "mailDomain">,
): string | null {
  return inbox === null ? null : `${inbox}@${mailDomain}`;
}

function meOf(profile: ProfileView, parts: Parts): Static<typeof Me> {
  const { name, jid, agent, limits } = profile;
  return {
    name,
    jid,
    agent,
    inbox: inboxAddress(profile, parts),
    createdAt: rfc3339(profile.createdAt),
    pausedUntil: rfc3339OrNull(profile.pausedUntilAt),
    presence: profile.presence.map(presenceOf),
    limits,
  };
}
