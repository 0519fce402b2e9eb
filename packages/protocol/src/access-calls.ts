/** The calls about who may ask in a user's name: sessions and API tokens. A part of {@link CALLS}, see calls.ts. */
import Type, { type Static } from "typebox";

const Id = Type.String({ minLength: 1, maxLength: 100 });
const None = Type.Object({}, { additionalProperties: false });
const NullableTime = Type.Union([Type.Number(), Type.Null()]);

/**
 * What an API token is for: `read` sees everything, `act` does something with notifications (read, acknowledge, put off,
 * answer, have again), `write` makes every other change but those to who may ask, which only a session can.
 */
export const TokenScope = Type.Enum(["read", "act", "write"]);
export type TokenScope = Static<typeof TokenScope>;

/** Most API tokens of a user. */
export const MOST_TOKENS = 50;

const TokenView = Type.Object({
  id: Id,
  title: Type.String(),
  scopes: Type.Array(TokenScope),
  createdAt: Type.Number(),
  /** Epoch milliseconds; null: until it is removed. */
  untilAt: NullableTime,
});
export type TokenView = Static<typeof TokenView>;

const SessionView = Type.Object({
  id: Id,
  /** How the browser or program called itself. */
  label: Type.String(),
  createdAt: Type.Number(),
  untilAt: Type.Number(),
  /** Whether it is the one that asks. */
  isCurrent: Type.Boolean(),
});
export type SessionView = Static<typeof SessionView>;

export const ACCESS_CALLS = {
  /** web-api has checked the password. The secret is shown once. */
  openSession: {
    args: Type.Object({ label: Type.String({ maxLength: 200 }) }),
    result: Type.Object({ session: Type.String(), untilAt: Type.Number() }),
    may: "service",
    changes: true,
  },
  closeSession: { args: None, result: None, may: "user", changes: true },
  /** Newest first. */
  sessions: {
    args: None,
    result: Type.Object({ items: Type.Array(SessionView) }),
    may: "user",
    changes: false,
  },
  endSession: { args: Type.Object({ id: Id }), result: None, may: "user", changes: true },

  /** The secret is shown once. Error `not-acceptable` when there are {@link MOST_TOKENS}. */
  addToken: {
    args: Type.Object({
      title: Type.String({ minLength: 1, maxLength: 200 }),
      scopes: Type.Array(TokenScope, { minItems: 1, maxItems: 3 }),
      untilAt: NullableTime,
    }),
    result: Type.Object({ secret: Type.String(), token: TokenView }),
    may: "user",
    changes: true,
  },
  /** Oldest first. */
  tokens: {
    args: None,
    result: Type.Object({ items: Type.Array(TokenView) }),
    may: "user",
    changes: false,
  },
  removeToken: { args: Type.Object({ id: Id }), result: None, may: "user", changes: true },
} as const;
