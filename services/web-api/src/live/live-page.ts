/**
 * One open page: it is sent what has changed since its stand, asked of the avatar when that says that there is something, and
 * every few seconds anyway: an avatar that has moved knows of no pages.
 *
 *     ask ──changes──▶ events, the last one with the new stand as its id ──▶ wait: nudged, or 10 s ──▶ ask …
 *      └──the avatar does not answer──▶ a second later again
 *
 * A page that comes back with the last id that it has got is sent the rest, some of it perhaps once more.
 */
import { CallError, type CallResult, type HistoryItem, type Stand } from "@tidings/protocol";

const ASK_EVERY_MS = 10_000;
/** So long the avatar is to tell of changes: a little longer than it takes to be asked again. */
const WATCH_MS = 30_000;
const RETRY_MS = 1_000;

export interface LivePageOptions {
  /** Asks the avatar. Rejects with CallError. */
  readonly ask: (since: Stand | null, watchMs: number) => Promise<CallResult<"changes">>;
  /** Sends text to the page; resolves when there is room for more. */
  readonly send: (text: string) => Promise<void>;
  /** Whether what it is sent is shown to a user, which is then a delivery. */
  readonly isPage: boolean;
  readonly show: (item: CallResult<"changes">["fresh"][number]) => unknown;
  readonly showPresence: (presence: CallResult<"changes">["presence"]) => unknown;
}

export class LivePage {
  readonly #options: LivePageOptions;
  #stand: Stand | null;
  #presence = "";
  #isNudged = false;
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(options: LivePageOptions, stand: Stand | null) {
    this.#options = options;
    this.#stand = stand;
  }

  /** There is something to ask for. */
  nudge(): void {
    this.#isNudged = true;
    this.#wake();
  }

  /** The page is closed. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  /** Resolves when the page is closed, or is nobody's any more (its session has ended). */
  async run(): Promise<void> {
    while (!this.#isOver) {
      this.#isNudged = false;
      const hasAsked = await this.#ask();
      if (hasAsked === null) return;
      await this.#wait(hasAsked ? ASK_EVERY_MS : RETRY_MS);
    }
  }

  /** Whether the avatar has answered; null when the session has ended. */
  async #ask(): Promise<boolean | null> {
    const { ask, send } = this.#options;
    try {
      const changes = await ask(this.#stand, WATCH_MS);
      const text = this.#eventsOf(changes);
      this.#stand = changes.stand;
      await send(text);
      // With the next question the avatar learns that these were sent.
      if (this.#options.isPage && [...changes.fresh, ...changes.moved].some(isOnItsWay))
        this.#isNudged = true;
      return true;
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
      if (error.type === "auth") return null;
      await send(": the avatar does not answer at the moment\n\n");
      return false;
    }
  }

  #eventsOf({ fresh, moved, presence, isCut, stand, asksPage }: CallResult<"changes">): string {
    const { show, showPresence } = this.#options;
    const events = [
      ...(asksPage === true ? [eventOf("standing", {})] : []),
      ...fresh.map((item) => eventOf("notification", show(item))),
      ...moved.map((item) => eventOf("delivery", show(item))),
    ];
    if (isCut) events.push(eventOf("reset", {}));
    const shown = JSON.stringify(showPresence(presence));
    if (shown !== this.#presence) events.push(eventOf("presence", JSON.parse(shown)));
    this.#presence = shown;
    const last = events.pop() ?? ":\n\n";
    return [...events, `id: ${stand.number}.${stand.at}\n${last}`].join("");
  }

  #wait(ms: number): Promise<void> {
    if (this.#isNudged || this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The stand in the id of an event; null when it is none. */
export function standIn(id: string): Stand | null {
  const [, number, at] = /^([0-9a-z]{0,40})\.(\d{1,16})$/.exec(id) ?? [];
  return number === undefined ? null : { number, at: Number(at) };
}

function isOnItsWay({ deliveries }: HistoryItem): boolean {
  return deliveries.some(({ channel, state }) => channel === "web" && state === "dispatched");
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
