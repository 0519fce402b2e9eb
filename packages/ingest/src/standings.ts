/**
 * Which sources of publishers and inboxes take what comes. Asked of the source avatar, and believed for a few seconds: what its
 * owner ends meanwhile is still taken, and told.
 */
import type { PublisherStanding } from "@tidings/protocol";

/** How long an answer counts (milliseconds). */
const BELIEVED_MS = 5_000;
const MOST = 10_000;

interface Known {
  readonly standing: PublisherStanding;
  readonly untilMs: number;
}

export class SourceStandings {
  readonly #ask: (source: string) => Promise<PublisherStanding>;
  readonly #known = new Map<string, Known>();

  /** `ask` asks the source avatar. */
  constructor(ask: (source: string) => Promise<PublisherStanding>) {
    this.#ask = ask;
  }

  /** The standing of `source`. Rejects as `ask` does when the avatar does not answer. */
  async of(source: string): Promise<PublisherStanding> {
    const known = this.#known.get(source);
    if (known !== undefined && known.untilMs > performance.now()) return known.standing;
    const standing = await this.#ask(source);
    // Whoever guesses fills it with what there is not: that is not kept.
    if (standing === "unknown") return standing;
    this.#known.delete(source);
    this.#known.set(source, { standing, untilMs: performance.now() + BELIEVED_MS });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST) break;
      this.#known.delete(oldest);
    }
    return standing;
  }
}
