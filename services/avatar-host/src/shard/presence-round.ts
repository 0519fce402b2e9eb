/**
 * Presence, and what is under way, are soft state of an agent's life. When an agent says that it has started, the avatars that
 * hold something or whose user was present ask again, spread over 10 s.
 *
 *     watch/<user>  the user's avatar wants to be told
 */
import type { Background } from "@tidings/runtime";
import { withPrefix } from "@tidings/store";
import { SpreadRound } from "./spread-round.ts";
import type { RowReader } from "./turn.ts";

/** Over how long the avatars of a shard ask again after an agent has come up (milliseconds). */
export const AGENT_UP_SPREAD_MS = 10_000;

const WATCH = "watch/";

/** Key of the shard's row that says that `user` waits for news of agents. */
export function watchKey(user: string): string {
  return WATCH + user;
}

export class PresenceRound {
  readonly #round: SpreadRound;

  /** `ask` gives each of the users' avatars a turn in which it asks the agent; `random` is in [0, 1). */
  constructor(
    self: string,
    reader: RowReader,
    ask: (users: readonly string[]) => void,
    background: Pick<Background, "run">,
    random: () => number = Math.random,
  ) {
    this.#round = new SpreadRound({
      list: (range) => reader.list(self, range),
      nameOf: (key) => key.slice(WATCH.length),
      give: ask,
      background,
      random,
    });
  }

  /** Starts a round for all who watch, spread over `spreadMs`. A round under way is given up. */
  start(spreadMs: number): void {
    this.#round.start(withPrefix(WATCH), spreadMs);
  }

  close(): void {
    this.#round.close();
  }
}
