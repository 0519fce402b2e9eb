/** How long items need from their source to a channel, of those that nothing held on the way. */
import type { Dispatch, ReportedState } from "@tidings/protocol";
import { histogram } from "@tidings/runtime";
import { BoundedMap } from "./bounded-map.ts";

const MOST = 10_000;
/** Who has not been proven to have it by then is not slow but away (milliseconds). */
const GIVEN_UP_MS = 60_000;

const LATENCY = histogram(
  "tidings_item_to_channel_seconds",
  "From the moment a source took an item until the channel was proven to have it; without what was held.",
);

export class ChannelLatency {
  /** When the item was taken, by delivery. */
  readonly #underWay = new BoundedMap<string, number>(MOST);

  /** The delivery `key` is being carried out for the first time. */
  begun(key: string, { attempt, heldSinceAt, members, notification }: Dispatch, nowAt: number): void {
    const isDirect = attempt === 1 && heldSinceAt === null && members === undefined;
    if (isDirect) this.#underWay.set(key, notification.receivedAt, GIVEN_UP_MS, nowAt);
  }

  /** The delivery `key` has come to `state`. */
  ended(key: string, state: ReportedState, nowAt: number): void {
    const takenAt = this.#underWay.get(key, nowAt);
    if (takenAt === undefined) return;
    this.#underWay.delete(key);
    if (state !== "refused") LATENCY.observe(Math.max(0, nowAt - takenAt) / 1_000);
  }
}
