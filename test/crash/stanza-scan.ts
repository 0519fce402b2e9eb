/** Finds a pattern in the bytes of many connections, however they are cut into chunks. */

/** A match may be cut by the end of a chunk: so much is looked at again. */
const TAIL_CHARS = 2_000;

export class StanzaScan {
  readonly #pattern: RegExp;
  readonly #tails = new Map<string, string>();

  /** `pattern` is global, and matches at most 2,000 ASCII characters. */
  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  /** The matches that end in `chunk`, which came on the connection with this name; each is found once. */
  in(connection: string, chunk: Buffer): RegExpExecArray[] {
    const text = (this.#tails.get(connection) ?? "") + chunk.toString("latin1");
    const matches = [...text.matchAll(this.#pattern)];
    const last = matches.at(-1);
    const end = last === undefined ? 0 : last.index + last[0].length;
    this.#tails.set(connection, text.slice(Math.max(end, text.length - TAIL_CHARS)));
    return matches;
  }
}
