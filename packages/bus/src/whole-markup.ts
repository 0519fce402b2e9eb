/**
 * Passes a stream of XML on in pieces that end where a tag ends.
 *
 * The libraries' parser (ltx) looks for the next `<` again at every character of a text whose end has not come yet, so a
 * piece that ends within a text of n characters costs n²: a frame of 60 KB in two pieces held a host up for 50 ms.
 */
import { LinkError } from "./errors.ts";

/** More without the end of a tag is no stanza that any of our servers lets through (characters). */
const LONGEST_TEXT = 4 * 1024 * 1024;

export class WholeMarkup {
  #held: string[] = [];
  #heldLength = 0;

  /** What may be parsed now that `text` has come; may be empty. Throws LinkError when a text does not end. */
  push(text: string): string {
    const end = text.lastIndexOf(">") + 1;
    if (end === 0) return this.#hold(text);
    const ready = this.#held.join("") + text.slice(0, end);
    this.#held = [];
    this.#heldLength = 0;
    this.#hold(text.slice(end));
    return ready;
  }

  #hold(text: string): string {
    if (text === "") return "";
    this.#held.push(text);
    this.#heldLength += text.length;
    if (this.#heldLength > LONGEST_TEXT)
      throw new LinkError(`the server sent a text of more than ${LONGEST_TEXT} characters`);
    return "";
  }
}
