/**
 * The messages that went to each address lately, in order: what "the last one" means, and what a marker speaks of beside the
 * message that it names. In memory only; what is forgotten is asked of the avatar, or stays as it was.
 */
import { BoundedMap } from "@tidings/agent";

const MOST_OF_ADDRESS = 20;
const MAX_ADDRESSES = 20_000;
/** Addresses may be 3,071 characters long: without this bound they could fill the memory. */
const MAX_ADDRESS_CHARS = 10_000_000;
const KEPT_MS = 24 * 3_600_000;

export class RecentMessages {
  readonly #ids = new BoundedMap<string, readonly string[]>(MAX_ADDRESSES, MAX_ADDRESS_CHARS);

  /** The message `id` goes to `address` of `user`. `nowAt` is epoch milliseconds. */
  note(user: string, address: string, id: string, nowAt: number): void {
    const before = this.#at(user, address, nowAt).filter((one) => one !== id);
    this.#ids.set(keyOf(user, address), [...before, id].slice(-MOST_OF_ADDRESS), KEPT_MS, nowAt);
  }

  /** The id of what went there last; null when that is forgotten. */
  last(user: string, address: string, nowAt: number): string | null {
    return this.#at(user, address, nowAt).at(-1) ?? null;
  }

  /** The ids of what went there before the message `id`, oldest first; none when that is forgotten. */
  before(user: string, address: string, id: string, nowAt: number): readonly string[] {
    const ids = this.#at(user, address, nowAt);
    return ids.slice(0, Math.max(0, ids.indexOf(id)));
  }

  #at(user: string, address: string, nowAt: number): readonly string[] {
    return this.#ids.get(keyOf(user, address), nowAt) ?? [];
  }
}

function keyOf(user: string, address: string): string {
  return `${user} ${address}`;
}
