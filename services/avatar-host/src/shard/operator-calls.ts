/** The calls that operators make to a shard itself, through web-api: its dead letters, listed and tried again. */
import {
  CALLS,
  type CallArgs,
  CallError,
  check,
  MalformedError,
  type ShardCallName,
  splitDeadLetterId,
} from "@tidings/protocol";
import type { IncomingCall } from "./avatar.ts";
import type { Commit } from "./commit.ts";
import type { DeadLetters, Letter } from "./dead-letters.ts";
import type { Stimulus } from "./stimulus.ts";

export interface OperatorCallsOptions {
  readonly deadLetters: DeadLetters;
  /** Domain of web-api, which alone has checked that an operator asks. */
  readonly web: string;
  /** Does `work` in one commit, when the rows of `names` can be read. */
  readonly post: (names: readonly string[], work: (commit: Commit) => void) => void;
  /** Gives an avatar a turn within the commit. Throws what the avatar throws. */
  readonly turn: (commit: Commit, avatar: string, stimulus: Stimulus) => void;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export class OperatorCalls {
  readonly #options: OperatorCallsOptions;

  constructor(options: OperatorCallsOptions) {
    this.#options = options;
  }

  /** Answers or refuses `call`. */
  onCall(call: IncomingCall): void {
    try {
      if (call.fromDomain !== this.#options.web)
        throw new CallError("auth", "forbidden", "Only web-api may call a shard.");
      if (call.name === "deadLetters") this.#list(call, argsOf("deadLetters", call.args));
      else if (call.name === "replayDeadLetter") this.#replay(call, argsOf("replayDeadLetter", call.args));
      else throw new CallError("cancel", "feature-not-implemented", `A shard takes no call ${call.name}.`);
    } catch (error) {
      call.refuse(error as Error);
    }
  }

  #list(call: IncomingCall, { after, limit }: CallArgs<"deadLetters">): void {
    const { deadLetters, post } = this.#options;
    const owners = deadLetters.owners(after, limit + 1);
    post(owners, (commit) => {
      const items = deadLetters.page(owners, after, limit);
      commit.onDurable.push(() => call.reply({ items }));
    });
  }

  #replay(call: IncomingCall, { id }: CallArgs<"replayDeadLetter">): void {
    const { deadLetters, post } = this.#options;
    post([splitDeadLetterId(id).owner], (commit) => {
      try {
        if (!deadLetters.wasReplayed(id)) this.#tryAgain(commit, id, deadLetters.read(id));
        commit.onDurable.push(() => call.reply({}));
      } catch (error) {
        call.refuse(error as Error);
      }
    });
  }

  /** Throws CallError, with nothing changed, when the letter cannot be taken now either. */
  #tryAgain(commit: Commit, id: string, letter: Letter | undefined): void {
    if (letter === undefined)
      throw new CallError("cancel", "item-not-found", "There is no such dead letter.");
    const { content } = letter;
    if (content === null)
      throw new CallError("modify", "not-acceptable", "It was too long to be kept and cannot be replayed.");
    try {
      if (content.kind === "frame") commit.told.push(...content.events);
      else this.#options.turn(commit, splitDeadLetterId(id).owner, content);
    } catch (cause) {
      const sentence = `It still cannot be taken: ${(cause as Error).message}. It stays on the list.`;
      throw new CallError("modify", "not-acceptable", sentence, { cause });
    }
    commit.rows.push(...this.#options.deadLetters.remove(id, this.#options.now()));
  }
}

function argsOf<N extends ShardCallName>(name: N, args: unknown): CallArgs<N> {
  try {
    return check(CALLS[name].args, args, name) as CallArgs<N>;
  } catch (error) {
    if (error instanceof MalformedError) throw new CallError("modify", "bad-request", error.message);
    throw error;
  }
}
