/**
 * What a user answers to a notification, in the words that they wrote. Pure.
 *
 *     2                the second option            restart          the option with this id or label
 *     3 at six         the third, with words        say at six       the option and words that go with it
 *     at six           the one option that takes words
 */
import type { ReplyOption } from "@tidings/protocol";

export interface ReadAnswer {
  readonly option: ReplyOption;
  readonly text: string | null;
}

/** The option that is meant and the words that go with it; null when none is. */
export function readAnswer(options: readonly ReplyOption[], said: string): ReadAnswer | null {
  const words = said.trim();
  for (const [at, option] of options.entries()) {
    for (const name of [String(at + 1), option.id, option.label]) {
      const rest = restAfter(words, name);
      if (rest === "") return { option, text: null };
      if (rest !== null && option.input === true) return { option, text: rest };
    }
  }
  const [only, ...others] = options.filter(({ input }) => input === true);
  return only === undefined || others.length > 0 || words === "" ? null : { option: only, text: words };
}

/** What follows `name` at the begin of `words`, without regard to case; null when it is not there. */
function restAfter(words: string, name: string): string | null {
  const [head, rest] = [words.slice(0, name.length), words.slice(name.length)];
  if (head.toLowerCase() !== name.toLowerCase()) return null;
  if (/^[.!]*$/.test(rest)) return "";
  return /^[\s:,.]/.test(rest) ? rest.replace(/^[\s:,.]+/, "") : null;
}
