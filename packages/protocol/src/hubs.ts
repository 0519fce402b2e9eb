/**
 * WebSub (W3C Recommendation, 2018): a feed names a hub, the hub sends what is new to a callback. Who does what here:
 *
 *     source avatar   keeps the lease; asks for one by a {@link HubJob}
 *     ingest-rss      asks the hub, with the callback and a secret of the source's own
 *     web-api         is the callback: the hub's verification is answered as the source avatar says, and what the hub sends,
 *                     signed, goes as a {@link PushedDocument} where the feed's poll jobs go
 */
import Type, { type Static } from "typebox";

const Url = Type.String({ maxLength: 2_000 });
const Localpart = Type.String({ maxLength: 80 });

/** A hub and what the feed is called there. */
export const Hub = Type.Object({ url: Url, topic: Url });
export type Hub = Static<typeof Hub>;

/** "Ask this hub to send." */
export const HubJob = Type.Object({
  job: Type.String({ maxLength: 60 }),
  source: Localpart,
  silo: Type.String({ maxLength: 20 }),
  hub: Hub,
  leaseSeconds: Type.Integer({ minimum: 1 }),
});
export type HubJob = Static<typeof HubJob>;

/** Largest document that a hub may send (bytes). */
export const PUSHED_BYTES = 2 * 1024 * 1024;

/** What a hub has sent of the feed at `url`. */
export const PushedDocument = Type.Object({
  /** Names the delivery. */
  pushed: Type.String({ maxLength: 60 }),
  source: Localpart,
  silo: Type.String({ maxLength: 20 }),
  url: Url,
  contentType: Type.String({ maxLength: 1_000 }),
  /** Base64. */
  body: Type.String({ maxLength: Math.ceil(PUSHED_BYTES / 3) * 4 }),
});
export type PushedDocument = Static<typeof PushedDocument>;

const NullableTime = Type.Union([Type.Number(), Type.Null()]);

/** How a feed is asked. Times are epoch milliseconds. */
export const PollStanding = Type.Object({
  knows: Type.Boolean(),
  /** When it is asked next; null: it is being asked, or never will be again. */
  nextAt: NullableTime,
  /** When something new came last. */
  newestAt: NullableTime,
  /** Polls that failed since one that did not. */
  failures: Type.Integer({ minimum: 0 }),
  /** A hub sends what is new. */
  isPushed: Type.Boolean(),
});
export type PollStanding = Static<typeof PollStanding>;

/** The calls to the source avatar of a feed, by web-api. A part of {@link CALLS}, see calls.ts. */
export const FEED_CALLS = {
  /** The hub asks whether it is to do this; when that is agreed, a lease is noted. `denied`: the hub will not send. */
  hubIntent: {
    args: Type.Object({
      mode: Type.Enum(["subscribe", "unsubscribe", "denied"]),
      topic: Url,
      leaseSeconds: Type.Integer({ minimum: 0 }),
    }),
    result: Type.Object({ agreed: Type.Boolean() }),
    may: "service",
    changes: false,
  },
  /** How its polls go; `knows` is false where nobody follows it. */
  pollStanding: {
    args: Type.Object({}, { additionalProperties: false }),
    result: PollStanding,
    may: "service",
    changes: false,
  },
  /** The address of the feed, when what a hub sends of it is wanted. */
  hubTopic: {
    args: Type.Object({}, { additionalProperties: false }),
    result: Type.Object({ url: Type.Union([Type.String(), Type.Null()]) }),
    may: "service",
    changes: false,
  },
} as const;
