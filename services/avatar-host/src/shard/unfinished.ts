/**
 * Avatars that have more to do than one turn: each gets its next one in the background, when the receivers have taken what is
 * on its way or have had time enough to. What is unfinished is in rows of the shard, so its next owner goes on with it.
 *
 *     more/<avatar>   the avatar has not finished
 */
import type { Background } from "@tidings/runtime";
import { type Row, withPrefix } from "@tidings/store";
import type { RowReader } from "./turn.ts";

/** Frames on their way above which a large fan-out waits with its next page, and for how long at most (milliseconds). */
const FRAMES_AHEAD = 160;
const CONTINUE_WITHIN_MS = 250;
const CONTINUE_LOOK_MS = 5;

const UNFINISHED = "more/";

export interface UnfinishedOptions {
  /** Localpart under which the shard keeps its own rows. */
  readonly self: string;
  readonly reader: RowReader;
  readonly background: Background;
  /** Frames of the shard that nobody has acknowledged. */
  readonly framesWaiting: () => number;
  /** Gives the avatar its next turn; `row` says that it has finished, and belongs into that turn's commit. */
  readonly goOn: (avatar: string, row: Row) => void;
}

export class Unfinished {
  readonly #options: UnfinishedOptions;
  #isOpen = true;

  constructor(options: UnfinishedOptions) {
    this.#options = options;
  }

  /** Goes on with what the shard's last owner has left. */
  resume(): void {
    const { reader, self } = this.#options;
    for (const { key } of reader.list(self, withPrefix(UNFINISHED))) this.later(key.slice(UNFINISHED.length));
  }

  /** The avatar wants another turn; the row that says so is in the commit that is being written. */
  later(avatar: string, sinceMs = performance.now()): void {
    if (!this.#isOpen) return;
    const { framesWaiting, background, self, goOn } = this.#options;
    const isCrowded = framesWaiting() > FRAMES_AHEAD && performance.now() - sinceMs < CONTINUE_WITHIN_MS;
    if (isCrowded) setTimeout(() => this.later(avatar, sinceMs), CONTINUE_LOOK_MS);
    else background.run(() => goOn(avatar, unfinishedRow(self, avatar, false)));
  }

  close(): void {
    this.#isOpen = false;
  }
}

/** The row of the shard `self` that says whether `avatar` has more to do. */
export function unfinishedRow(self: string, avatar: string, isUnfinished: boolean): Row {
  return { avatar: self, key: UNFINISHED + avatar, value: isUnfinished ? "1" : null };
}
