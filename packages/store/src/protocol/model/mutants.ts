/** The protocol with one rule broken each, to show that the model would see it. */
import type { Doing, Reply, Writing } from "../writing.ts";
import { RULES, type Rules } from "./rules.ts";
import type { SCENARIOS } from "./scenarios.ts";

export interface Mutant {
  readonly name: string;
  /** Where it is caught. */
  readonly scenario: keyof typeof SCENARIOS;
  readonly rules: Rules;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "a writer that goes on after it was deposed",
    scenario: "parts",
    rules: withAdvance((state, reply, next) =>
      next.doing.step === "deposed" ? tryNextSlot(state, reply, next) : next,
    ),
  },
  {
    name: "a writer that takes a new id when it tries again, and its own epoch's slot for a void one",
    scenario: "parts",
    rules: withAdvance((state, reply, next) => {
      if (reply.of === "nothing") return { ...state, begun: state.begun + 1 };
      const isOwn = next.doing.step === "deposed" && next.doing.by === state.epoch;
      return isOwn ? tryNextSlot(state, reply, next) : next;
    }),
  },
  {
    name: "a writer that takes a lower epoch's slot for its own",
    scenario: "takeovers",
    rules: withAdvance((state, reply, next) => {
      const isLower = reply.of === "slot" && reply.found !== null && reply.found.epoch < state.epoch;
      if (!isLower || state.doing.step !== "readSlot") return next;
      const put: Doing = { ...state.doing, step: "put" };
      return RULES.advance({ ...state, doing: put }, { of: "put", isWritten: true });
    }),
  },
  {
    name: "an owner that writes no fence",
    scenario: "takeovers",
    rules: withAdvance((state, reply, next) =>
      reply.of === "tail"
        ? { ...state, seq: reply.at.seq, checkpointed: { seq: 0, epoch: 0 }, doing: { step: "idle" } }
        : next,
    ),
  },
  {
    name: "an owner that does not read back where the checkpoints are",
    scenario: "checkpoints",
    rules: withAdvance((state, reply, next) =>
      reply.of === "position" ? { ...state, checkpointed: reply.at, doing: { step: "idle" } } : next,
    ),
  },
  {
    name: "trimming that takes fences",
    scenario: "sleeper",
    rules: { ...RULES, isTrimmable: () => true },
  },
  {
    name: "trimming that takes the record beyond what is in the checkpoints",
    scenario: "sleeper",
    rules: { ...RULES, lastToTrim: (seq) => seq + 1 },
  },
  {
    name: "a reader that counts a part without its write",
    scenario: "parts",
    rules: {
      ...RULES,
      readRecord: (replay, seq, record, load) =>
        RULES.readRecord(
          replay,
          seq,
          { ...record, kind: record.kind === "part" ? "write" : record.kind },
          load,
        ),
    },
  },
  {
    name: "a reader that does not mind missing slots",
    scenario: "files",
    rules: {
      ...RULES,
      readRecord: (replay, seq, record, load) =>
        RULES.readRecord({ ...replay, seq: seq - 1 }, seq, record, load),
    },
  },
  {
    name: "an owner that believes every file",
    scenario: "files",
    rules: { ...RULES, isFileInHistory: () => "yes" },
  },
  {
    name: "an owner that gives the shard back before it is drained",
    scenario: "releases",
    rules: { ...RULES, isDrained: (isIdle) => isIdle },
  },
  {
    name: "a router that grants every claim",
    scenario: "effects",
    rules: { ...RULES, grants: () => true },
  },
];

function withAdvance(change: (state: Writing, reply: Reply, next: Writing) => Writing): Rules {
  return { ...RULES, advance: (state, reply) => change(state, reply, RULES.advance(state, reply)) };
}

/** What the writer would do had it found a void record. */
function tryNextSlot(state: Writing, reply: Reply, next: Writing): Writing {
  if (reply.of !== "slot" || state.doing.step !== "readSlot") return next;
  return { ...state, doing: { ...state.doing, step: "put", seq: state.doing.seq + 1 } };
}
