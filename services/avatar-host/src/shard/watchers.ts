/** For whom a page is open: web-api is told, after the commit, that something has changed for them. In memory alone. */
import type { Row } from "@tidings/store";

/** Rows of a user that a page shows something of. */
const SHOWN = /^(?:h|p|d|sub)\/|^presence$/;
/** Above so many, those whose time is over are forgotten. */
const MANY = 10_000;

export class Watchers {
  readonly #untilMs = new Map<string, number>();
  readonly #tell: (user: string) => void;

  /** `tell` says that something has changed for `user`. */
  constructor(tell: (user: string) => void) {
    this.#tell = tell;
  }

  /** For `forMs` from now on changes for `user` are told. */
  watch(user: string, forMs: number): void {
    const nowMs = performance.now();
    this.#untilMs.set(user, nowMs + forMs);
    if (this.#untilMs.size <= MANY) return;
    for (const [name, untilMs] of this.#untilMs) if (untilMs < nowMs) this.#untilMs.delete(name);
  }

  /** The turn of `avatar` has written `rows`: what is to be done when they are durable, if anything. */
  effectOf(avatar: string, rows: readonly Row[]): (() => void) | null {
    const untilMs = this.#untilMs.get(avatar);
    if (untilMs === undefined) return null;
    if (untilMs < performance.now()) {
      this.#untilMs.delete(avatar);
      return null;
    }
    return rows.some(({ key }) => SHOWN.test(key)) ? () => this.#tell(avatar) : null;
  }
}
