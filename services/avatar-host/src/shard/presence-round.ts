/**
 * Presence is soft state of an agent's life. When an agent says that it has started, all that it said before is void, and
 * the avatars that hold something or whose user was present ask again, spread over 10 s.
 *
 *     agent/im      the epoch of the agent's present life
 *     watch/<user>  the user's avatar wants to be told of presence
 */
import { withPrefix } from "@tidings/store";
import type { RowReader } from "./turn.ts";

/** Over how long the avatars of a shard ask again after an agent has come up (milliseconds). */
export const AGENT_UP_SPREAD_MS = 10_000;
/** Most avatars that are given their turn together. */
const BATCH = 20;
/** A round takes at least this many steps when there are avatars enough, so that it has no peak. */
const STEPS = 20;

export const AGENT_KEY = "agent/im";
const WATCH = "watch/";

/** Key of the shard's row that says that `user` waits for presence. */
export function watchKey(user: string): string {
  return WATCH + user;
}

export class PresenceRound {
  readonly #self: string;
  readonly #reader: RowReader;
  readonly #ask: (users: readonly string[]) => void;
  readonly #random: () => number;
  #timers: NodeJS.Timeout[] = [];
  #agentEpoch: number | null = null;

  /** `ask` gives each of the users' avatars a turn in which it asks the agent; `random` is in [0, 1). */
  constructor(
    self: string,
    reader: RowReader,
    ask: (users: readonly string[]) => void,
    random: () => number = Math.random,
  ) {
    this.#self = self;
    this.#reader = reader;
    this.#ask = ask;
    this.#random = random;
  }

  /** The epoch of the agent's present life; 0 when none has ever spoken. */
  get agentEpoch(): number {
    this.#agentEpoch ??= Number(this.#reader.get(this.#self, AGENT_KEY) ?? 0);
    return this.#agentEpoch;
  }

  /** The agent lives anew; the row that says so is written by the caller. */
  set agentEpoch(epoch: number) {
    this.#agentEpoch = epoch;
  }

  /**
   * Starts a round for all who watch, spread over `spreadMs`. A round under way is given up. The shards of a host hear of
   * an agent together, so each begins at a moment of its own.
   */
  start(spreadMs: number): void {
    this.close();
    const watchers = this.#reader
      .list(this.#self, withPrefix(WATCH))
      .map(({ key }) => key.slice(WATCH.length));
    const size = Math.min(BATCH, Math.ceil(watchers.length / STEPS));
    const batches = Math.ceil(watchers.length / size);
    const phase = this.#random();
    for (let at = 0; at < batches; at++) {
      const users = watchers.slice(at * size, (at + 1) * size);
      this.#timers.push(setTimeout(() => this.#ask(users), ((at + phase) / batches) * spreadMs));
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}
