/**
 * The pages that a user has open, as web-api tells of them: soft state, in memory alone. Each is believed in for as long as its
 * last word said, and asked how it stands by an avatar that does not know it: after a wake, a move or a crash.
 */
import type { PageShow } from "@tidings/protocol";
import type { Standing } from "./rules/reach.ts";

/** Most pages of a user that are kept; the one heard of longest ago gives way. */
const MOST_PAGES = 50;

interface Page {
  readonly show: PageShow;
  readonly idleSinceAt: number | null;
  readonly untilAt: number;
}

const RANK: Readonly<Record<PageShow, number>> = { offline: 0, away: 1, available: 2 };

export class Pages {
  readonly #pages = new Map<string, Page>();
  #standing: Standing | undefined;

  /** What a page shows, for the next `forMs` unless it says something else. */
  says(id: string, { show, idleSinceAt }: Pick<Page, "show" | "idleSinceAt">, untilAt: number): void {
    this.#pages.delete(id);
    this.#pages.set(id, { show, idleSinceAt, untilAt });
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > MOST_PAGES && oldest !== undefined) this.#pages.delete(oldest);
  }

  /** It is still open. False when nothing is known of it: it has to say how it stands. */
  isStillOpen(id: string, untilAt: number): boolean {
    const page = this.#pages.get(id);
    if (page !== undefined) this.#pages.set(id, { ...page, untilAt });
    return page !== undefined;
  }

  close(id: string): void {
    this.#pages.delete(id);
  }

  /** How the user stands at the page where they are most present; the same value while that is the same. Undefined: none is open. */
  standingAt(nowAt: number): Standing | undefined {
    let best: Page | undefined;
    for (const [id, page] of this.#pages) {
      if (page.untilAt <= nowAt) this.#pages.delete(id);
      else if (best === undefined || RANK[page.show] > RANK[best.show]) best = page;
    }
    const { show, idleSinceAt } = best ?? {};
    if (this.#standing?.show !== show || this.#standing?.idleSinceAt !== idleSinceAt)
      this.#standing = best === undefined ? undefined : { show: best.show, idleSinceAt: best.idleSinceAt };
    return this.#standing;
  }
}
