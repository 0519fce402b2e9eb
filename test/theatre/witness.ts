/** Somebody who has nothing to do with what goes wrong, and whose news must come nevertheless. */
import type { Feed } from "./feed.ts";
import type { Person } from "./person.ts";
import { openTheatre, type Theatre } from "./theatre.ts";

/** A repeat of the poll and of everything behind it, on a machine that has other things to do (milliseconds). */
const SOON_MS = 15_000;

export class Witness {
  readonly #theatre: Theatre;
  readonly #wendy: Person;
  readonly #feed: Feed;
  #published = 0;

  private constructor(theatre: Theatre, wendy: Person, feed: Feed) {
    this.#theatre = theatre;
    this.#wendy = wendy;
    this.#feed = feed;
  }

  /** Somebody online who follows a feed of their own. */
  static async arrives(): Promise<Witness> {
    const theatre = openTheatre();
    const [wendy, feed] = await Promise.all([theatre.user("wendy"), theatre.feed("weather")]);
    await Promise.all([wendy.comesOnline(), wendy.subscribes(feed)]);
    return new Witness(theatre, wendy, feed);
  }

  /** Resolves when what is published now has come, once. Rejects when it does not come within 15 s. */
  async stillHears(): Promise<void> {
    this.#published += 1;
    const text = `Report number ${this.#published}.`;
    this.#feed.publishes(text);
    await this.#wendy.hears(text, { withinMs: SOON_MS });
    const times = this.#wendy.client.timesHeard(text);
    if (times !== 1) throw new Error(`"${text}" came ${times} times`);
  }

  async leaves(): Promise<void> {
    await this.#theatre.clears();
  }
}
