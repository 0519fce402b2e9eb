/**
 * A host that stops gives its shards back a few at a time, and goes on when others have taken them: each is away for as long
 * as one hand-over takes, instead of all for as long as all take. When that takes too long, the rest goes at once: a stop has
 * a deadline, and a shard that was not given back in order is away for as long as after a crash.
 */
import { setTimeout as pause } from "node:timers/promises";

/** Shards under way at a time: the heir opens them one beside the other. */
const AT_ONCE = 4;
/** How long to wait for an heir (milliseconds). */
const TAKEN_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 25;
/** After this long the rest goes at once (milliseconds); the service ends after 10 s. */
const IN_GROUPS_MS = 5_000;

export interface Giving {
  /** Gives a shard back; resolves when it is free. */
  readonly give: (shard: number) => Promise<void>;
  /** Whether another host has taken a shard that is free. */
  readonly isTaken: (shard: number) => Promise<boolean>;
  /** Whether there is anybody to take them. */
  readonly hasHeirs: boolean;
  readonly monotonicMs: () => number;
}

/** Gives all `shards`; resolves when all are free. Rejects with what `give` rejects with. */
export async function giveInGroups(shards: readonly number[], giving: Giving): Promise<void> {
  const { give, hasHeirs, monotonicMs } = giving;
  const hurryAtMs = monotonicMs() + IN_GROUPS_MS;
  const isLate = () => !hasHeirs || monotonicMs() >= hurryAtMs;
  const next = shards.values();
  const giver = async () => {
    for (const shard of next) {
      const given = give(shard);
      if (isLate()) await Promise.all([given, ...[...next].map(give)]);
      await given;
      await taken(shard, giving, isLate);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, giver));
}

async function taken(shard: number, { isTaken, monotonicMs }: Giving, isLate: () => boolean): Promise<void> {
  const untilMs = monotonicMs() + TAKEN_WITHIN_MS;
  while (!isLate() && monotonicMs() < untilMs) {
    // A table that does not answer must not keep a host from stopping.
    if (await isTaken(shard).catch(() => true)) return;
    await pause(LOOK_EVERY_MS);
  }
}
