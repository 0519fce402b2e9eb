/** Says what is dispatched: each delivery once in a turn, and what goes together in one message. */
import { type DigestMember, isAgentChannel, type Notification } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { digestId, digestMember, digestMessage } from "./digest-message.ts";
import { rulesIn } from "./routing-row.ts";
import {
  type CoreRow,
  type DeliveriesRow,
  type Delivery,
  DIGEST,
  type DigestRow,
  HISTORY,
  placeOf,
  SUBSCRIPTION,
  type SubscriptionRow,
  titleOf,
} from "./rows.ts";

const NO_ADDRESSES: ReadonlySet<string> = new Set();

/** One delivery that goes together with others. */
export interface Member {
  readonly number: string;
  readonly row: DeliveriesRow;
}

export class Dispatcher {
  #said: { readonly turn: Turn | null; readonly dispatches: Set<string> } = {
    turn: null,
    dispatches: new Set(),
  };

  /** Dispatches what `row` has dispatched, except at some destinations. */
  say(
    turn: Turn,
    row: DeliveriesRow,
    notification: Notification | undefined,
    core: CoreRow,
    except = NO_ADDRESSES,
  ): void {
    for (const delivery of row.deliveries) {
      if (delivery.state !== "dispatched" || except.has(delivery.destination)) continue;
      if (delivery.digest !== undefined) this.#sayDigest(turn, delivery.digest, core);
      else if (notification !== undefined) this.#sayOne(turn, delivery, notification, core);
    }
  }

  /** The rows of `members` with their delivery at `destination` gone in a digest, which is said and written down. */
  bundle(turn: Turn, destination: string, members: readonly Member[], core: CoreRow): DeliveriesRow[] {
    const names = members.map(({ number, row }) => `${number} ${attemptAt(row, destination)}`);
    const id = digestId(destination, names);
    const numbers = members.map(({ number }) => number);
    turn.put(DIGEST + id, { destination, at: turn.nowAt, numbers } satisfies DigestRow);
    this.#sayDigest(turn, id, core);
    return members.map(({ row }) => ({
      ...row,
      deliveries: row.deliveries.map((one) =>
        one.destination === destination ? { ...one, digest: id } : one,
      ),
    }));
  }

  #sayOne(turn: Turn, delivery: Delivery, notification: Notification, core: CoreRow): void {
    const { destination, attempt, wantedFrom, heldSinceAt } = delivery;
    const sourceTitle = sourceTitleIn(turn, notification);
    const again = wantedFrom === undefined ? {} : { wantedFrom };
    this.push(turn, core, { destination, attempt, ...again, heldSinceAt, notification, sourceTitle });
  }

  /** A member that has left the history meanwhile is left out. */
  #sayDigest(turn: Turn, id: string, core: CoreRow): void {
    const digest = turn.get<DigestRow>(DIGEST + id);
    if (digest === undefined) return;
    const members = digest.numbers
      .map((number) => turn.get<Notification>(HISTORY + number))
      .filter((notification) => notification !== undefined);
    const notification = digestMessage(id, members, digest.at);
    this.push(turn, core, {
      destination: digest.destination,
      attempt: 1,
      heldSinceAt: null,
      notification,
      sourceTitle: sourceTitleIn(turn, notification),
      members: members.map((one) => digestMember(one, sourceTitleIn(turn, one))),
    });
  }

  /** Says one message to a destination, once in a turn; nothing when that is gone. */
  push(
    turn: Turn,
    core: CoreRow,
    what: Pick<Delivery, "destination" | "attempt" | "wantedFrom" | "heldSinceAt"> & {
      readonly notification: Notification;
      readonly sourceTitle: string | null;
      readonly members?: DigestMember[];
      readonly corrects?: string;
    },
  ): void {
    const destination = core.destinations.find(({ id }) => id === what.destination);
    if (destination === undefined || !isAgentChannel(destination.channel)) return;
    if (this.#isSaid(turn, `${what.notification.id} ${what.destination} ${what.attempt}`)) return;
    const { channel } = destination;
    const zone = channel === "email" ? { zone: rulesIn(turn).rules.zone } : {};
    turn.dispatches.push({
      channel,
      dispatch: { user: turn.avatar, ...placeOf(destination), ...what, ...zone },
    });
  }

  /** Whether this turn has said it already, for two reasons to repeat a dispatch may meet in one turn. */
  #isSaid(turn: Turn, dispatch: string): boolean {
    if (this.#said.turn !== turn) this.#said = { turn, dispatches: new Set() };
    if (this.#said.dispatches.has(dispatch)) return true;
    this.#said.dispatches.add(dispatch);
    return false;
  }
}

/** How the user calls the source of a notification; null when they have left it. */
export function sourceTitleIn(turn: Turn, { source }: Notification): string | null {
  const subscription = turn.get<SubscriptionRow>(SUBSCRIPTION + source);
  return subscription === undefined ? null : titleOf(subscription);
}

function attemptAt({ deliveries }: DeliveriesRow, destination: string): number {
  return deliveries.find((one) => one.destination === destination)?.attempt ?? 1;
}
