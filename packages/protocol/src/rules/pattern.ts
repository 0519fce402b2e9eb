/**
 * Regular expressions of users, matched in time linear in the text (RE2's syntax and engine): an expression that would
 * backtrack in JavaScript's engine cannot hold up the host, and what only backtracking could match is refused.
 */
import { RE2JS, RE2JSException } from "re2js";
import { RULE_LIMITS } from "./document.ts";

/** Instructions of a compiled expression: the factor by which a match may cost more than a look at each character. */
const MOST_INSTRUCTIONS = 500;

export class PatternError extends Error {
  override readonly name = "PatternError";
}

/** A test for `pattern` anywhere in a text, whatever the case. Throws {@link PatternError} with what to do. */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > RULE_LIMITS.patternChars)
    throw new PatternError(`Use at most ${RULE_LIMITS.patternChars} characters.`);
  const compiled = compiledOrRefuse(pattern);
  if (compiled.programSize() > MOST_INSTRUCTIONS)
    throw new PatternError("This expression repeats too much; use smaller numbers in its {…}.");
  return (text) => compiled.test(text);
}

function compiledOrRefuse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    const why = cause.message.replace(/^error parsing regexp: /, "");
    throw new PatternError(
      `This is not an expression of RE2's syntax (${why}); look-around and back-references are not part of it.`,
      { cause },
    );
  }
}
