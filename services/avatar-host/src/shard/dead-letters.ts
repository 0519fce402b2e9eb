/**
 * The dead letters of a shard's avatars, and of its own streams. They are rows of their owner; the shard keeps a row for each
 * owner that has some, so that a list asks nobody in vain.
 *
 *     <owner>  dead/<13 digits of epoch milliseconds>-<3 digits>   a letter
 *     <shard>  deadof/<owner>                                      { made, kept, dropped }
 *     <shard>  replayed/<id>                                       when it was replayed, for a day: a repeat changes nothing
 */
import {
  type AddressedEvent,
  type DeadLetterView,
  deadLetterId,
  EXCERPT_CHARS,
  splitDeadLetterId,
} from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { type Row, withPrefix } from "@tidings/store";
import type { Stimulus } from "./stimulus.ts";
import type { RowReader } from "./turn.ts";

/** Most letters of an avatar; what comes after is counted, and logged. */
export const MOST_LETTERS = 100;
const LETTER_CHARS = 400_000;
const REPLAYED_MS = 24 * 3_600_000;

const DEAD = "dead/";
const OWNERS = "deadof/";
const REPLAYED = "replayed/";

/** What a letter holds; `null` when it was too long to be kept. */
export type Content =
  | Stimulus
  | { readonly kind: "frame"; readonly events: readonly AddressedEvent[] }
  | null;

export interface Letter {
  readonly at: number;
  readonly error: string;
  readonly kind: string;
  readonly content: Content;
}

interface OwnerRow {
  readonly made: number;
  readonly kept: number;
  readonly dropped: number;
}

export interface DeadLettersOptions {
  /** Localpart under which the shard keeps its own rows. */
  readonly self: string;
  readonly reader: RowReader;
  readonly log: Log;
}

/** The row by which the shard forgets that `owner` has letters, when `rows` take one away: who erases all takes all away. */
export function forgottenOwner(self: string, owner: string, rows: readonly Row[]): Row[] {
  const isErased = rows.some(({ key, value }) => value === null && key.startsWith(DEAD));
  return isErased ? [{ avatar: self, key: OWNERS + owner, value: null }] : [];
}

export class DeadLetters {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** The rows that keep a letter of `owner`; they must be seen by reads before the next one is kept. */
  keep(owner: string, at: number, error: unknown, content: NonNullable<Content>): Row[] {
    const { self, log } = this.#options;
    const before = this.#ownerRow(owner);
    const isFull = owner !== self && before.kept >= MOST_LETTERS;
    const fields = {
      err: error,
      avatar: owner,
      kind: content.kind,
      dropped: before.dropped + Number(isFull),
    };
    log.error(fields, isFull ? "dead letter was dropped, there are too many" : "kept as a dead letter");
    const made = before.made + 1;
    const counts = isFull
      ? { ...before, made, dropped: before.dropped + 1 }
      : { ...before, made, kept: before.kept + 1 };
    const index = { avatar: self, key: OWNERS + owner, value: JSON.stringify(counts satisfies OwnerRow) };
    if (isFull) return [index];
    const key = `${DEAD}${String(at).padStart(13, "0")}-${String(made % 1_000).padStart(3, "0")}`;
    return [
      index,
      { avatar: owner, key, value: textOf({ at, error: String(error), kind: content.kind, content }) },
    ];
  }

  /** The owners from that of the letter `after` on, at most `most`: their rows must be readable for {@link page}. */
  owners(after: string | null, most: number): string[] {
    const from = after === null ? "" : splitDeadLetterId(after).owner;
    const range = { from: OWNERS + from, to: `${OWNERS}\uffff`, limit: most };
    return this.#options.reader.list(this.#options.self, range).map(({ key }) => key.slice(OWNERS.length));
  }

  /** The letters of `owners` behind the letter `after`, at most `limit`. */
  page(owners: readonly string[], after: string | null, limit: number): DeadLetterView[] {
    const start = after === null ? null : splitDeadLetterId(after);
    const items: DeadLetterView[] = [];
    for (const owner of owners) {
      const from = owner === start?.owner ? `${DEAD}${start.key}\u0001` : DEAD;
      const range = { from, to: `${DEAD}\uffff`, limit: limit - items.length };
      for (const { key, value } of this.#options.reader.list(owner, range))
        items.push(viewOf(owner, key.slice(DEAD.length), JSON.parse(value) as Letter));
      if (items.length === limit) break;
    }
    return items;
  }

  /** The letter, or undefined when there is none (any more). The owner's rows must be readable. */
  read(id: string): Letter | undefined {
    const { owner, key } = splitDeadLetterId(id);
    const text = this.#options.reader.get(owner, DEAD + key);
    return text === undefined ? undefined : (JSON.parse(text) as Letter);
  }

  /** Whether the letter was replayed within a day. */
  wasReplayed(id: string): boolean {
    return this.#options.reader.get(this.#options.self, REPLAYED + id) !== undefined;
  }

  /** The rows that take a letter away because it has been replayed at `at`. */
  remove(id: string, at: number): Row[] {
    const { self, reader } = this.#options;
    const { owner, key } = splitDeadLetterId(id);
    const before = this.#ownerRow(owner);
    const after = before.kept <= 1 ? null : JSON.stringify({ ...before, kept: before.kept - 1 });
    const old = reader
      .list(self, withPrefix(REPLAYED, { limit: 50 }))
      .filter(({ value }) => at - Number(value) >= REPLAYED_MS);
    return [
      { avatar: owner, key: DEAD + key, value: null },
      { avatar: self, key: OWNERS + owner, value: after },
      ...old.map((entry) => ({ avatar: self, key: entry.key, value: null })),
      { avatar: self, key: REPLAYED + id, value: String(at) },
    ];
  }

  #ownerRow(owner: string): OwnerRow {
    const text = this.#options.reader.get(this.#options.self, OWNERS + owner);
    return text === undefined ? { made: 0, kept: 0, dropped: 0 } : (JSON.parse(text) as OwnerRow);
  }
}

/** What is too long is kept without its content: it can be seen, and not replayed. */
function textOf(letter: Letter): string {
  const text = JSON.stringify(letter);
  return text.length <= LETTER_CHARS ? text : JSON.stringify({ ...letter, content: null });
}

function viewOf(owner: string, key: string, { at, error, kind, content }: Letter): DeadLetterView {
  const excerpt = content === null ? "" : JSON.stringify(content).slice(0, EXCERPT_CHARS).toWellFormed();
  return { id: deadLetterId(owner, key), owner, at, kind, error: error.slice(0, EXCERPT_CHARS), excerpt };
}
