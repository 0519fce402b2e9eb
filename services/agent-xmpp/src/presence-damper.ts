/**
 * Presence that changes all the time, made bearable for the avatar, which writes down each change.
 *
 * Of each address ten reports go on at once; one more may every five seconds. What is too much waits, of each resource only
 * the last, and goes on together when the next may: so the final state is always told, at most five seconds late.
 * Pure: the caller passes reports on, and calls `due` from time to time. Times are milliseconds of one monotonic clock.
 */
import type { PresenceReport } from "@tidings/protocol";

const BURST = 10;
const REFILL_MS = 5_000;
/** As many as the avatar keeps of an address; the one that waits longest gives way. */
const MAX_RESOURCES = 20;
const MAX_ADDRESSES = 50_000;

interface Address {
  /** When all of the burst may be used again. */
  fullAt: number;
  readonly waiting: Map<string, PresenceReport>;
}

export class PresenceDamper {
  readonly #addresses = new Map<string, Address>();

  get size(): number {
    return this.#addresses.size;
  }

  /** True when `report` may go on now; otherwise it waits. With very many addresses the one known longest is forgotten. */
  mayPass(report: PresenceReport, nowMs: number): boolean {
    const key = `${report.user} ${report.address}`;
    const address = this.#addresses.get(key) ?? { fullAt: nowMs, waiting: new Map<string, PresenceReport>() };
    this.#addresses.set(key, address);
    keepYoungest(this.#addresses, MAX_ADDRESSES);
    if (address.waiting.size === 0 && take(address, nowMs)) return true;
    address.waiting.delete(report.resource);
    address.waiting.set(report.resource, report);
    keepYoungest(address.waiting, MAX_RESOURCES);
    return false;
  }

  /** What has waited long enough, in the order in which it came. Forgets who has been quiet. */
  due(nowMs: number): PresenceReport[] {
    const due: PresenceReport[] = [];
    for (const [key, address] of this.#addresses) {
      if (address.waiting.size === 0) {
        if (address.fullAt <= nowMs) this.#addresses.delete(key);
        continue;
      }
      if (!take(address, nowMs)) continue;
      due.push(...address.waiting.values());
      address.waiting.clear();
    }
    return due;
  }

  /** A new life of the agent begins: what was seen before is void. */
  clear(): void {
    this.#addresses.clear();
  }
}

function take(address: Address, nowMs: number): boolean {
  const fullAt = Math.max(address.fullAt, nowMs) + REFILL_MS;
  if (fullAt - nowMs > BURST * REFILL_MS) return false;
  address.fullAt = fullAt;
  return true;
}

function keepYoungest(map: Map<string, unknown>, most: number): void {
  if (map.size <= most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
