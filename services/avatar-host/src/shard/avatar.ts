import type {
  AgentChannel,
  AvatarEvent,
  CallBody,
  CallbackResult,
  PollResult,
  Publication,
  Report,
} from "@tidings/protocol";
import type { Range } from "@tidings/store";
import type { Cause } from "./stimulus.ts";
import type { Turn } from "./turn.ts";

/**
 * What an avatar does in a turn for each thing that can come to it. It may keep in memory what it has read; when a turn
 * throws, the avatar is thrown away with its memory and the rows stay as they were.
 */
export interface Avatar {
  /** Rows that it holds parsed in memory, beside those that its turns remember. */
  readonly rowsHeld: number;
  /** Whether it must stay awake because somebody waits for an answer that is not in its rows. */
  readonly isBusy: boolean;
  /** What its first turn after sleep reads when it is for `cause`: read together that is a fraction of the work. */
  wakingRows?(cause: Cause): readonly Range[];
  onEvent(turn: Turn, from: string, event: AvatarEvent): void;
  onPollResult(turn: Turn, result: PollResult): void;
  /** What a program has published for the source. */
  onPublished?(turn: Turn, publication: Publication): void;
  /** What became of an attempt to tell a publisher an answer. */
  onCallbackResult?(turn: Turn, result: CallbackResult): void;
  /** `from` says which life of which agent speaks. */
  onReport(turn: Turn, report: Report, from: AgentLife): void;
  /** Answers now or later through `reply`; throws CallError to refuse. */
  onCall(turn: Turn, call: IncomingCall): void;
  onAlarm(turn: Turn): void;
  /** The shard has a new owner: what the last one was to send when a commit became durable may never have left. */
  onTakenOver?(turn: Turn): void;
  /** The turn that an earlier one asked for with `wantsAnother`. */
  onContinue(turn: Turn): void;
}

export interface AgentLife {
  readonly channel: AgentChannel;
  readonly epoch: number;
}

export interface IncomingCall extends CallBody {
  /** The domain that the call came from, proven by the cluster. */
  readonly fromDomain: string;
  /** Sends the answer when the turn's commit is durable; called once. */
  readonly reply: (result: unknown) => void;
  /** Refuses after the turn, where `onCall` has not. */
  readonly refuse: (error: Error) => void;
}
