/** Changes that carry an operation id may be repeated: the repeat is answered as the first was, and changes nothing. */
import { CallError } from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { IncomingCall } from "../shard/avatar.ts";
import type { Turn } from "../shard/turn.ts";
import { OPERATION } from "./rows.ts";

/** How long answers are kept for repeats (milliseconds). */
const KEPT_MS = 24 * 3_600_000;
/** Old answers that are forgotten with each new one. */
const FORGOTTEN_AT_ONCE = 20;

interface OperationRow {
  readonly at: number;
  readonly name: string;
  readonly answer: unknown;
}

/** The answer that the call has had already, or null. Throws `conflict` when its id was used for another one. */
export function answered(turn: Turn, { op, name }: IncomingCall): { readonly answer: unknown } | null {
  const done = op === null ? undefined : turn.get<OperationRow>(OPERATION + op);
  if (done === undefined || turn.nowAt - done.at >= KEPT_MS) return null;
  if (done.name !== name)
    throw new CallError("modify", "conflict", "This operation id was used for something else.");
  return { answer: done.answer };
}

/** Keeps the answer for a repeat of the call, and forgets those of yesterday. Nothing without an operation id. */
export function remember(turn: Turn, { op, name }: IncomingCall, answer: unknown): void {
  if (op === null) return;
  for (const { key, value } of turn.list(withPrefix(OPERATION, { limit: FORGOTTEN_AT_ONCE }))) {
    if (turn.nowAt - (JSON.parse(value) as OperationRow).at >= KEPT_MS) turn.delete(key);
  }
  turn.put(OPERATION + op, { at: turn.nowAt, name, answer } satisfies OperationRow);
}
