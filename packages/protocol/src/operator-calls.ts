/** What operators ask of a shard itself (`_17@…`), through web-api. */
import Type, { type Static } from "typebox";
import { DeadLetterId, DeadLetterView } from "./dead-letters.ts";

const None = Type.Object({}, { additionalProperties: false });
const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });

/** An avatar as its shard holds it: how much of what, never what it says. */
export const AvatarView = Type.Object({
  avatar: Type.String(),
  shard: Count,
  epoch: Count,
  /** The host that serves the shard. */
  host: Type.String(),
  isAwake: Type.Boolean(),
  /** Its rows, and the characters in them; none: there is no such avatar. */
  rows: Count,
  chars: Count,
  /** Rows by the first word of their keys, such as `history`. */
  kinds: Type.Array(Type.Object({ kind: Type.String(), rows: Count })),
  /** When its alarm rings (epoch milliseconds); null: none is set. */
  alarmAt: Nullable(Type.Number()),
  deadLetters: Count,
});
export type AvatarView = Static<typeof AvatarView>;

/** A part of {@link CALLS}, see calls.ts: to a shard. */
export const OPERATOR_CALLS = {
  /** What could not be taken or delivered there, oldest of each avatar first. `after` is an id. */
  deadLetters: {
    args: Type.Object({
      after: Nullable(DeadLetterId),
      limit: Type.Integer({ minimum: 1, maximum: 200 }),
    }),
    result: Type.Object({ items: Type.Array(DeadLetterView) }),
    may: "operator",
    changes: false,
  },
  /** To the shard of the letter: tries it again; it is gone from the list when that went well. A repeat changes nothing. */
  replayDeadLetter: { args: Type.Object({ id: DeadLetterId }), result: None, may: "operator", changes: true },
  /** How an avatar of the shard stands. Error `item-not-found` when it has no rows. */
  showAvatar: {
    args: Type.Object({ avatar: Type.String({ minLength: 1, maxLength: 80 }) }),
    result: AvatarView,
    may: "operator",
    changes: false,
  },
} as const;
