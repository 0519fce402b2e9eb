/** What this host asks of the avatar router: its claims on shards, and for which shards something waits there. */
import type { Bus } from "@tidings/bus";
import {
  CallError,
  type ClaimStep,
  claimStanza,
  countersStanza,
  readAwaited,
  type Shard,
} from "@tidings/protocol";

/** Longest wait for the router's word on what waits: shards are taken without it, too (milliseconds). */
const AWAITED_WITHIN_MS = 500;

export class Claims {
  readonly #bus: Pick<Bus, "request" | "isOnline">;
  readonly #host: string;
  readonly #silo: string;
  readonly #floors = new Map<Shard, number>();

  /** Claims of the host at the address `host` on the shards of `silo`, its domain. */
  constructor(bus: Pick<Bus, "request" | "isOnline">, host: string, silo: string) {
    [this.#bus, this.#host, this.#silo] = [bus, host, silo];
  }

  /** The epoch above which a claim on `shard` has to be, as far as the router has said; 0 when it has not. */
  floor(shard: Shard): number {
    return this.#floors.get(shard) ?? 0;
  }

  /**
   * Takes one step. Rejects with ClaimRefusedError when the silo takes no claims at all, else with the router's CallError: a
   * claim that it refuses as stale tells how high the next one has to be.
   */
  async step(step: ClaimStep, shard: Shard, epoch: number): Promise<void> {
    try {
      await this.#bus.request(claimStanza(step, this.#host, this.#silo, shard, epoch));
    } catch (error) {
      const stale = /epoch (\d+)/.exec(
        error instanceof CallError && error.condition === "conflict" ? error.message : "",
      );
      if (stale !== null) this.#floors.set(shard, Number(stale[1]));
      throw stale === null && step !== "unclaim" ? new ClaimRefusedError(this.#silo, error) : error;
    }
  }

  /** Shards that nobody has claimed and that something waits for; none when the router does not say. Does not reject. */
  async awaited(): Promise<ReadonlySet<Shard>> {
    if (!this.#bus.isOnline) return new Set();
    const asked = this.#bus.request(countersStanza(this.#host, this.#silo), AWAITED_WITHIN_MS);
    // It is a matter of order alone.
    return await asked.then(readAwaited).catch(() => new Set<Shard>());
  }
}

/** The silo's domain did not take a claim for another reason than a higher epoch. */
class ClaimRefusedError extends Error {
  override readonly name = "ClaimRefusedError";

  constructor(silo: string, cause: unknown) {
    super(
      `${silo} does not take this host's claims (${reasonIn(cause)}); check TIDINGS_DOMAIN, and that mod_avatar_router on the avatars ` +
        "cluster owns the silo's domain and knows the domain of the hosts. Trying on",
      { cause },
    );
  }
}

function reasonIn(cause: unknown): string {
  if (cause instanceof CallError && cause.message === "") return cause.condition;
  return cause instanceof Error ? cause.message : String(cause);
}
