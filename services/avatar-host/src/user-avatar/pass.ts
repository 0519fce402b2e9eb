/**
 * Deciding anew for what is held, oldest first and some of it in each turn, so that nobody else has to wait for thousands.
 * All of it is looked at when what it was decided by has changed or a time has come; else what waits in line.
 */
import type { Turn } from "../shard/turn.ts";
import type { Bundles } from "./bundles.ts";
import type { Situation } from "./deliveries.ts";
import { isInLine, type Pending } from "./pending.ts";
import { isPast } from "./progress.ts";
import type { DeliveriesRow } from "./rows.ts";

/** Held ones that are decided anew in one turn. */
const MOST_IN_TURN = 500;

export interface PassOptions {
  /** Whether so much is on its way that nothing more can go. */
  readonly isFull: () => boolean;
  /** Decides anew for one, and gives its row as it is then. What is to go together is left in `bundles`. */
  readonly decideOne: (
    turn: Turn,
    number: string,
    before: DeliveriesRow,
    situation: Situation,
    part: Pick<Part, "busy" | "bundles">,
  ) => DeliveriesRow;
}

/** What is done in one turn. */
interface Part {
  readonly turn: Turn;
  readonly situation: Situation;
  /** The destinations where something has to wait: so does all that comes after it. */
  readonly busy: Set<string>;
  readonly bundles: Bundles;
  /** How many more may be decided in this turn. */
  left: number;
}

export class Pass {
  readonly #pending: Pending;
  readonly #options: PassOptions;
  /** What everything that is held has been decided by. */
  #decidedBy: Situation | null = null;
  /** What is held from this number on has yet to be decided anew; null when all of it has been. */
  #from: string | null = null;
  /** Something in what has yet to be decided has come to its time. */
  #hasDue = false;

  constructor(pending: Pending, options: PassOptions) {
    this.#pending = pending;
    this.#options = options;
  }

  /** Whether nothing that is held has yet to be decided anew. */
  get isOver(): boolean {
    return this.#from === null;
  }

  /** Begins anew where there is news, and does a part; gives what is to go together. */
  begin(turn: Turn, situation: Situation, hasNews: boolean): Bundles {
    const isDue = this.#pending.isDue(turn.nowAt);
    if (isDue || hasNews || this.isNews(situation)) this.#from = "";
    if (isDue) {
      this.#hasDue = true;
      this.#pending.lookedAt(turn.nowAt);
    }
    this.#decidedBy = situation;
    return this.goOn(turn, situation);
  }

  /** Does a further part; gives what is to go together. The turn wants another when there is more to do at once. */
  goOn(turn: Turn, situation: Situation): Bundles {
    const part: Part = { turn, situation, busy: new Set(), bundles: new Map(), left: MOST_IN_TURN };
    this.#goOnInLine(part);
    if (this.#from !== null) this.#from = this.#decideFrom(part, this.#from);
    if (part.left === 0) turn.wantsAnother = true;
    else this.#hasDue = false;
    return part.bundles;
  }

  /** Whether anything that is held has been decided by another situation than this, or never in this life of the avatar. */
  isNews({ presence, pages, core, routing, agentEpoch }: Situation): boolean {
    const by = this.#decidedBy;
    return (
      by?.presence !== presence ||
      by.pages !== pages ||
      by.core !== core ||
      by.routing !== routing ||
      by.agentEpoch !== agentEpoch
    );
  }

  /** What waits in line before the rest that is to be decided anew. Where the first cannot go, nobody behind it is looked at. */
  #goOnInLine(part: Part): void {
    for (const number of this.#pending.line()) {
      if (part.left === 0 || this.#options.isFull() || (this.#from !== null && number >= this.#from)) return;
      if (this.#pending.isInLine(number, part.busy)) this.#look(part, number);
      if (this.#pending.busy().isSubsetOf(part.busy)) return;
    }
  }

  /** Decides anew from number `from` on; what it gives is where to go on, or null at the end. */
  #decideFrom(part: Part, from: string): string | null {
    const { isFull } = this.#options;
    let next: string | null = null;
    for (const number of this.#pending.held()) {
      if (number < from) continue;
      if (part.left === 0 || (isFull() && !this.#hasDue)) return next ?? number;
      if (isFull() && !isPast(this.#pending.get(number), part.turn.nowAt)) next ??= number;
      else this.#look(part, number);
    }
    return next;
  }

  #look(part: Part, number: string): void {
    const before = this.#pending.get(number);
    if (before === undefined) return;
    part.left--;
    const after = this.#options.decideOne(part.turn, number, before, part.situation, part);
    for (const delivery of after.deliveries) if (isInLine(delivery)) part.busy.add(delivery.destination);
  }
}
