import Type, { type Static } from "typebox";

/** What is wrong with a document of rules: where (JSON pointer, RFC 6901), and a sentence that says what to do. */
export const RuleProblem = Type.Object({ pointer: Type.String(), detail: Type.String() });
export type RuleProblem = Static<typeof RuleProblem>;

/** What the user has, for rules that name it. */
export interface KnownThings {
  readonly destinations: readonly { readonly id: string; readonly channel: string }[];
  readonly subscriptions: readonly string[];
}

/** `part` as a piece of a JSON pointer. */
export function pointerPart(part: string | number): string {
  return `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
