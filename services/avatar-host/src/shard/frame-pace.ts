/**
 * Which frames are applied at once and which in the background. A frame to many avatars takes many turns; a hundred of them
 * that come together would keep everybody else's waiting for seconds. A frame to few goes first, unless an earlier one of
 * its stream still waits: the order of a stream is kept.
 */
import type { Shard } from "@tidings/protocol";
import type { Background } from "@tidings/runtime";

/** Recipients up to which a frame is applied at once: a few milliseconds of work. */
const FEW = 20;

export class FramePace {
  readonly #background: Background;
  /** Frames that wait, by the shard that sent them. */
  readonly #waiting = new Map<Shard, number>();

  constructor(background: Background) {
    this.#background = background;
  }

  /** Calls `apply` for a frame of `stream` now or in its turn. */
  take(stream: Shard, recipients: number, apply: () => void): void {
    const ahead = this.#waiting.get(stream) ?? 0;
    if (ahead === 0 && recipients <= FEW) {
      apply();
      return;
    }
    this.#waiting.set(stream, ahead + 1);
    this.#background.run(() => {
      this.#leave(stream);
      apply();
    });
  }

  #leave(stream: Shard): void {
    const left = (this.#waiting.get(stream) ?? 1) - 1;
    if (left === 0) this.#waiting.delete(stream);
    else this.#waiting.set(stream, left);
  }
}
