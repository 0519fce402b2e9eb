/**
 * The order of what goes to one address. A stream may break and its server come back within a moment: what is sent next goes
 * over another stream, and would be there before what has to be repeated. So while something that went to an address is
 * unproven, what comes for it waits here; and when that has to be tried again, so has everything behind it, unsent.
 *
 *     sent ──taken──▶ what waits goes ──▶ …
 *       └──to be tried again──▶ what waits is refused with it
 *
 * What comes in one message from a shard goes together: nothing is proven one by one. Pure; its size is bounded by what
 * avatars have on its way.
 */
import type { Refusal } from "@tidings/agent";

interface Turn<T> {
  readonly unproven: Set<string>;
  /** By key, in order. */
  readonly waiting: Map<string, T>;
  /** Why something of it has to be tried again. */
  refusal: Refusal | null;
}

/** What is to be done with what has waited. */
export interface Behind<T> {
  readonly waited: ReadonlyMap<string, T>;
  /** Null: it goes now. */
  readonly refusal: Refusal | null;
}

export class InTurn<T> {
  readonly #turns = new Map<string, Turn<T>>();

  /** Addresses with something unproven. */
  get size(): number {
    return this.#turns.size;
  }

  /** Whether what comes for `address` has to wait. */
  isBusy(address: string): boolean {
    return this.#turns.has(address);
  }

  sent(address: string, key: string): void {
    const turn = this.#turns.get(address);
    if (turn === undefined)
      this.#turns.set(address, { unproven: new Set([key]), waiting: new Map(), refusal: null });
    else turn.unproven.add(key);
  }

  /** `what` waits under `key`; it takes the place of what has waited under the same. */
  wait(address: string, key: string, what: T): void {
    this.#turns.get(address)?.waiting.set(key, what);
  }

  /**
   * It is known what became of `key` at `address`; `refusal`: it has to be tried again, and why. Gives what has waited when
   * nothing before it is unproven any more, else null.
   */
  settled(address: string, key: string, refusal: Refusal | null): Behind<T> | null {
    const turn = this.#turns.get(address);
    if (turn?.unproven.delete(key) !== true) return null;
    turn.refusal ??= refusal;
    if (turn.unproven.size > 0) return null;
    this.#turns.delete(address);
    return { waited: turn.waiting, refusal: turn.refusal };
  }
}
