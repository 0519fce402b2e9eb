/** What avatars tell each other, in frames from shard to shard. Events are in the past tense and ask for nothing back. */
import Type, { type Static } from "typebox";
import { Answer, Notification } from "./notification.ts";

const Localpart = Type.String({ minLength: 1, maxLength: 80 });

/** How a source is doing: `checking` until the first fetch set its baseline. */
export const SourceState = Type.Enum(["checking", "active", "failing", "ended"]);
export type SourceState = Static<typeof SourceState>;

export const AvatarEvent = Type.Union([
  /**
   * A user avatar to a source avatar: `from` wants to hear of it, and with `edits` also of later states of what it has heard.
   * Of a publisher that is shared, `url` is its token.
   */
  Type.Object({
    type: Type.Literal("subscribed"),
    url: Type.String({ maxLength: 2_000 }),
    edits: Type.Optional(Type.Boolean()),
  }),
  Type.Object({ type: Type.Literal("unsubscribed") }),
  /** A user avatar to the source avatar of a publisher: `from` owns it, hears of it, and ends it. */
  Type.Object({
    type: Type.Literal("publisherOpened"),
    title: Type.String({ maxLength: 500 }),
    secret: Type.String({ maxLength: 100 }),
  }),
  Type.Object({ type: Type.Literal("publisherEnded") }),
  /** Its owner shares it: who subscribes with the token `share` hears of it. Null: nobody but the owner does any more. */
  Type.Object({
    type: Type.Literal("publisherShared"),
    share: Type.Union([Type.String({ maxLength: 100 }), Type.Null()]),
  }),
  /** A user avatar to the source avatar: what the user answers to a notification of it. */
  Type.Object({ type: Type.Literal("answered"), answer: Answer }),
  /** The source avatar back: whoever waits for the answer has it, or will not get it (`problem`, a sentence). */
  Type.Object({
    type: Type.Literal("answerSettled"),
    answer: Type.String({ maxLength: 100 }),
    notification: Type.String({ maxLength: 64 }),
    problem: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
  }),
  /** A source avatar to its subscribers. `sinceSeq` answers a subscription: what came later will be told. */
  Type.Object({
    type: Type.Literal("sourceChanged"),
    state: SourceState,
    title: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
    /** Why it is failing or ended, a sentence; null when all is well. */
    problem: Type.Union([Type.String({ maxLength: 500 }), Type.Null()]),
  }),
  Type.Object({ type: Type.Literal("notified"), notification: Notification }),
]);
export type AvatarEvent = Static<typeof AvatarEvent>;

/** An event on its way: who said it, and to which avatars of one shard. */
export const AddressedEvent = Type.Object({
  from: Localpart,
  to: Type.Array(Localpart, { minItems: 1 }),
  event: AvatarEvent,
});
export type AddressedEvent = Static<typeof AddressedEvent>;
