import type { Priority } from "@tidings/protocol";
import Type, { type Static } from "typebox";
import { literals } from "./shapes.ts";

const WORDS = ["min", "low", "default", "high", "urgent"] as const satisfies readonly Priority[];

/** The word for a priority. */
export const PriorityWord = literals(WORDS);

/** A priority as a request may give it: its word, or 1 (min) to 5 (urgent). */
export const PriorityInput = Type.Union([PriorityWord, Type.Integer({ minimum: 1, maximum: WORDS.length })], {
  description: "min, low, default, high, urgent, or 1 to 5 for the same.",
  examples: ["default"],
});
export type PriorityInput = Static<typeof PriorityInput>;

/** The word for what the request gave. */
export function priorityWord(input: PriorityInput): Priority {
  return typeof input === "number" ? (WORDS[input - 1] ?? "default") : input;
}
