/**
 * The avatars of a host that are awake, least recently used first. One that sleeps takes no memory: all of it is in rows.
 *
 *     asleep ──first stimulus──▶ awake ──idle, or the host is above its bound──▶ asleep
 *                                  └── needed: a stimulus waits or a caller hangs on it; it stays
 *
 * Falling asleep is one step without an await, so a stanza comes before it, and then the avatar is the one used last, or
 * after it, and then it wakes the avatar again.
 */
import { gauge } from "@tidings/runtime";
import type { Avatar } from "./avatar.ts";

/** What an awake avatar costs beside its rows: itself and its entry here (bytes); more than `npm run bench -- --only memory` measures. */
const AVATAR_BYTES = 1_500;
/** About what a row costs that is held parsed in memory (bytes). */
const ROW_BYTES = 1_000;
const MOST_TOLD = 2_000;

export interface AwakeAvatar {
  readonly avatar: Avatar;
  /** Rows that its turns remember. */
  readonly memory: Map<string, unknown>;
}

/** The shard that an avatar belongs to. */
export interface AwakeOwner {
  /** Makes the avatar for a localpart, asleep in its rows until now. */
  createAvatar(name: string): Avatar;
  /** Whether a stimulus waits for the avatar. */
  isWaitedFor(name: string): boolean;
}

interface Entry extends AwakeAvatar {
  readonly owner: AwakeOwner;
  usedMs: number;
  bytes: number;
}

export interface AwakeBounds {
  /** After this long without a turn an avatar falls asleep (milliseconds). */
  readonly idleMs: number;
  /** About as much memory awake avatars may take together; above it those used longest ago fall asleep (bytes). */
  readonly mostBytes: number;
}

export class AwakeAvatars {
  readonly #bounds: AwakeBounds;
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(bounds: AwakeBounds) {
    this.#bounds = bounds;
    gauge("tidings_avatars_awake", "Avatars that are awake on this host.", () => this.count);
    gauge("tidings_avatars_awake_bytes", "About what they take.", () => this.bytes);
  }

  get count(): number {
    return this.#entries.size;
  }

  /** About what all awake avatars take (bytes). */
  get bytes(): number {
    return this.#bytes;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** The avatars of `owner` that were used last, at most 2,000. */
  lastUsedOf(owner: AwakeOwner): string[] {
    const theirs = [...this.#entries].filter(([, entry]) => entry.owner === owner);
    return theirs.slice(-MOST_TOLD).map(([name]) => name);
  }

  /** The avatar called `name`, woken when it sleeps; it counts as used at `nowMs` of the own monotonic clock. A name has one owner at a time. */
  wake(name: string, owner: AwakeOwner, nowMs: number): AwakeAvatar {
    const known = this.#entries.get(name);
    const entry = known ?? {
      avatar: owner.createAvatar(name),
      memory: new Map(),
      owner,
      usedMs: nowMs,
      bytes: 0,
    };
    if (known !== undefined) this.#entries.delete(name);
    entry.usedMs = nowMs;
    this.#entries.set(name, entry);
    return entry;
  }

  /** The avatar has had a turn: notes what it takes now, and makes room when that is too much. */
  rest(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const bytes = AVATAR_BYTES + ROW_BYTES * (entry.memory.size + entry.avatar.rowsHeld);
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    if (this.#bytes > this.#bounds.mostBytes) this.#makeRoom(name);
  }

  /** The avatar forgets all that it had in memory. */
  forget(name: string): void {
    this.#bytes -= this.#entries.get(name)?.bytes ?? 0;
    this.#entries.delete(name);
  }

  /** Lets avatars fall asleep that have not had a turn for long. Costs what it does, not what is awake. */
  passivate(nowMs: number): void {
    for (const [name, entry] of this.#entries) {
      if (nowMs - entry.usedMs < this.#bounds.idleMs) return;
      if (!isNeeded(name, entry)) this.forget(name);
    }
  }

  /** The owner goes: what its avatars had in memory may be out of date when it, or another one, comes back. */
  forgetAllOf(owner: AwakeOwner): void {
    for (const [name, entry] of this.#entries) if (entry.owner === owner) this.forget(name);
  }

  /**
   * Below the bound again, with room for some more, as finding those used longest ago means passing over all that are gone.
   * An avatar that is needed counts as used, so it is not looked at again soon.
   */
  #makeRoom(inTurn: string): void {
    let looksLeft = this.#entries.size;
    const enough =
      this.#bounds.mostBytes - AVATAR_BYTES * Math.floor(this.#bounds.mostBytes / AVATAR_BYTES / 32);
    for (const [name, entry] of this.#entries) {
      if (this.#bytes <= enough || looksLeft-- === 0) return;
      if (name === inTurn || isNeeded(name, entry)) {
        this.#entries.delete(name);
        this.#entries.set(name, entry);
      } else this.forget(name);
    }
  }
}

function isNeeded(name: string, { avatar, owner }: Entry): boolean {
  return avatar.isBusy || owner.isWaitedFor(name);
}
