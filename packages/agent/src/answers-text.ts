import type { ReplyOption } from "@tidings/protocol";

/** What can be answered, by numbers, such as `1 Restart, 2 Say + your words`; `before` stands before each number. */
export function answersText(options: readonly ReplyOption[], before = ""): string {
  return options
    .map(({ label, input }, at) => `${before}${at + 1} ${label}${input === true ? " + your words" : ""}`)
    .join(", ");
}
