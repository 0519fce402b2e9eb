/**
 * The writer of a journal as a pure state machine: it takes the journal for an epoch and appends to it. One thing is asked
 * of the table at a time, and every answer leads to the next state. `Journal` carries it out on the real table, and the
 * model checker in `model/` in every order of delayed, doubled and lost writes.
 *
 *     new ──▶ readTail ──▶ put fence ──▶ readPosition ──below the fence──▶ idle ──append──▶ put ──▶ idle
 *                             ▲               └──not below: the fence stops nobody──┐
 *                             └────────────────────── behind that position ─────────┘
 *
 *     put ──written──▶ done       put ──taken──▶ readSlot ──mine──▶ done
 *     put ──lost──▶ put (same slot, same id)          ├──free──▶ put (same slot, same id)
 *                                                     ├──a lower epoch's──▶ put (next slot, same id)
 *                                                     └──else──▶ deposed, for ever
 */
import { judgeSlot, type Position, type RecordKind, type Stamp } from "./record.ts";

export type Request =
  | { readonly ask: "readTail" }
  /** Write if the slot is free. `part` says which piece of the group, from 0. */
  | { readonly ask: "put"; readonly seq: number; readonly record: Stamp; readonly part: number }
  | { readonly ask: "readSlot"; readonly seq: number }
  /** Up to where the journal is in the checkpoints. */
  | { readonly ask: "readPosition" };

export type Reply =
  /** The newest record; zeros for an empty journal. */
  | { readonly of: "tail"; readonly at: Position }
  | { readonly of: "put"; readonly isWritten: boolean }
  | { readonly of: "slot"; readonly found: Stamp | null }
  | { readonly of: "position"; readonly at: Position }
  /** A timeout or 5xx: what was asked may have been carried out, may be later, or never. */
  | { readonly of: "nothing" };

export interface Writing {
  /** Goes into the id of every record; no other writer has it. */
  readonly writer: string;
  readonly epoch: number;
  /** The last slot known to be taken. */
  readonly seq: number;
  /** Records begun so far. */
  readonly begun: number;
  /** Where the checkpoints stood when the fence was found to hold; null before. */
  readonly checkpointed: Position | null;
  readonly doing: Doing;
}

export type Doing =
  | { readonly step: "readTail" }
  | {
      readonly step: "put" | "readSlot";
      readonly seq: number;
      /** The records of the group, of which `part` is being written. */
      readonly kinds: readonly RecordKind[];
      readonly part: number;
    }
  | { readonly step: "readPosition" }
  | { readonly step: "idle" }
  /** Somebody with the epoch `by` has slot `seq`: nothing may be written any more, and nothing said. */
  | { readonly step: "deposed"; readonly by: number; readonly seq: number };

/** A writer that is about to take the journal for `epoch`. */
export function takeJournal(writer: string, epoch: number): Writing {
  return { writer, epoch, seq: 0, begun: 0, checkpointed: null, doing: { step: "readTail" } };
}

/** Begins a group of records, the last of which makes the others count. Throws when the writer is not idle. */
export function append(state: Writing, kinds: readonly RecordKind[]): Writing {
  if (state.doing.step !== "idle") throw new Error(`the journal's writer is busy: ${state.doing.step}`);
  return begin(state, kinds, state.seq + 1);
}

/** What the state asks of the table now; null when it asks nothing. */
export function requestOf({ writer, epoch, begun, doing }: Writing): Request | null {
  switch (doing.step) {
    case "readTail":
      return { ask: "readTail" };
    case "put": {
      const record = { epoch, id: `${writer}.${begun}`, kind: kindOf(doing) };
      return { ask: "put", seq: doing.seq, record, part: doing.part };
    }
    case "readSlot":
      return { ask: "readSlot", seq: doing.seq };
    case "readPosition":
      return { ask: "readPosition" };
    case "idle":
    case "deposed":
      return null;
  }
}

/** The state after the answer to {@link requestOf}. An answer to something else leaves it as it is. */
export function advance(state: Writing, reply: Reply): Writing {
  const { doing } = state;
  if (doing.step === "readTail" && reply.of === "tail") {
    if (reply.at.epoch > state.epoch) return deposed(state, reply.at.epoch, reply.at.seq);
    return begin({ ...state, seq: reply.at.seq }, ["fence"], reply.at.seq + 1);
  }
  if (doing.step === "put" && reply.of === "put") {
    return reply.isWritten ? written(state, doing) : { ...state, doing: { ...doing, step: "readSlot" } };
  }
  if (doing.step === "readSlot" && reply.of === "slot") return afterSlot(state, doing, reply.found);
  if (doing.step === "readPosition" && reply.of === "position") return afterPosition(state, reply.at);
  return state;
}

type Putting = Extract<Doing, { step: "put" | "readSlot" }>;

function begin(state: Writing, kinds: readonly RecordKind[], seq: number): Writing {
  return { ...state, begun: state.begun + 1, doing: { step: "put", seq, kinds, part: 0 } };
}

function afterSlot(state: Writing, doing: Putting, found: Stamp | null): Writing {
  if (found === null) return { ...state, doing: { ...doing, step: "put" } };
  switch (judgeSlot(found, `${state.writer}.${state.begun}`, state.epoch)) {
    case "mine":
      return written(state, doing);
    case "void":
      return { ...state, doing: { ...doing, step: "put", seq: doing.seq + 1 } };
    case "deposed":
      return deposed(state, found.epoch, doing.seq);
  }
}

function written(state: Writing, { seq, kinds, part }: Putting): Writing {
  if (part + 1 < kinds.length) {
    const doing: Doing = { step: "put", seq: seq + 1, kinds, part: part + 1 };
    return { ...state, seq, begun: state.begun + 1, doing };
  }
  return { ...state, seq, doing: { step: kinds[part] === "fence" ? "readPosition" : "idle" } };
}

/**
 * A fence that is not behind the checkpoints has fallen into a gap that the owner before has trimmed meanwhile, where it
 * stops nobody: then another one is needed.
 */
function afterPosition(state: Writing, at: Position): Writing {
  if (at.seq >= state.seq) return begin({ ...state, seq: at.seq }, ["fence"], at.seq + 1);
  return { ...state, checkpointed: at, doing: { step: "idle" } };
}

function deposed(state: Writing, by: number, seq: number): Writing {
  return { ...state, doing: { step: "deposed", by, seq } };
}

function kindOf({ kinds, part }: Putting): RecordKind {
  const kind = kinds[part];
  if (kind === undefined) throw new Error(`the group has no part ${part}`);
  return kind;
}
