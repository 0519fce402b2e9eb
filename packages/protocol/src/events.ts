/** What avatars tell each other, in frames from shard to shard. Events are in the past tense and ask for nothing back. */
import Type, { type Static } from "typebox";
import { Notification } from "./notification.ts";

const Localpart = Type.String({ minLength: 1, maxLength: 80 });

/** How a source is doing: `checking` until the first fetch set its baseline. */
export const SourceState = Type.Enum(["checking", "active", "failing", "ended"]);
export type SourceState = Static<typeof SourceState>;

export const AvatarEvent = Type.Union([
  /** A user avatar to a source avatar: `from` wants to hear of it. */
  Type.Object({ type: Type.Literal("subscribed"), url: Type.String({ maxLength: 2_000 }) }),
  Type.Object({ type: Type.Literal("unsubscribed") }),
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
