/**
 * Presence is soft state of an agent's life. When an agent says that it has started, all that it said before is void, and
 * the avatars that hold something or whose user was present ask again, spread over 10 s.
 *
 *     agent/im      the epoch of the agent's present life
 *     watch/<user>  the user's avatar wants to be told of presence
 */
import type { Background } from "@tidings/runtime";
import { withPrefix } from "@tidings/store";
import { SpreadRound } from "./spread-round.ts";
import type { Stimulus } from "./stimulus.ts";
import type { RowReader } from "./turn.ts";

/** Over how long the avatars of a shard ask again after an agent has come up (milliseconds). */
export const AGENT_UP_SPREAD_MS = 10_000;

export const AGENT_KEY = "agent/im";
const WATCH = "watch/";

/** Key of the shard's row that says that `user` waits for presence. */
export function watchKey(user: string): string {
  return WATCH + user;
}

/** What makes an avatar ask again: the agent lives anew, with `agentEpoch`. */
export function agentUp(agentEpoch: number): Stimulus {
  return { kind: "reports", reports: [{ kind: "agentUp" }], agentEpoch };
}

export class PresenceRound {
  readonly #self: string;
  readonly #reader: RowReader;
  readonly #round: SpreadRound;
  #agentEpoch: number | null = null;

  /** `ask` gives each of the users' avatars a turn in which it asks the agent; `random` is in [0, 1). */
  constructor(
    self: string,
    reader: RowReader,
    ask: (users: readonly string[]) => void,
    background: Pick<Background, "run">,
    random: () => number = Math.random,
  ) {
    this.#self = self;
    this.#reader = reader;
    this.#round = new SpreadRound({
      list: (range) => reader.list(self, range),
      nameOf: (key) => key.slice(WATCH.length),
      give: ask,
      background,
      random,
    });
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

  /** Starts a round for all who watch, spread over `spreadMs`. A round under way is given up. */
  start(spreadMs: number): void {
    this.#round.start(withPrefix(WATCH), spreadMs);
  }

  close(): void {
    this.#round.close();
  }
}
