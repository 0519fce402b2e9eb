import type { Lease } from "@tidings/store";

/** Which host is likely to take a shard that this one gives back: of those that can serve it, the one with the fewest. */
export class Heirs {
  /** Shards by host: as the leases said last, and what was given since. */
  #counts = new Map<string, number>();

  note(leases: readonly Lease[]): void {
    this.#counts = new Map();
    for (const { owner } of leases) if (owner !== null) this.#count(owner.host);
  }

  /** One of `hosts`, which counts as having one shard more from now on; null when there is none. */
  choose(hosts: readonly string[]): string | null {
    const countOf = (host: string) => this.#counts.get(host) ?? 0;
    const [heir = null] = hosts.toSorted((a, b) => countOf(a) - countOf(b));
    if (heir !== null) this.#count(heir);
    return heir;
  }

  #count(host: string): void {
    this.#counts.set(host, (this.#counts.get(host) ?? 0) + 1);
  }
}
