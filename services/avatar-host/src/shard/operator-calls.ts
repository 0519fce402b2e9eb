/** The calls that operators make to a shard itself, through web-api: its dead letters, and how its avatars stand. */
import {
  type AvatarView,
  CALLS,
  type CallArgs,
  CallError,
  check,
  MalformedError,
  type ShardCallName,
  shardOf,
  splitDeadLetterId,
} from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { IncomingCall } from "./avatar.ts";
import type { Commit } from "./commit.ts";
import type { DeadLetters, Letter } from "./dead-letters.ts";
import type { Stimulus } from "./stimulus.ts";
import { ALARM, type RowReader } from "./turn.ts";

export interface OperatorCallsOptions {
  readonly deadLetters: DeadLetters;
  /** Domain of web-api, which alone has checked that an operator asks. */
  readonly web: string;
  /** Does `work` in one commit, when the rows of `names` can be read. */
  readonly post: (names: readonly string[], work: (commit: Commit) => void) => void;
  /** Gives an avatar a turn within the commit. Throws what the avatar throws. */
  readonly turn: (commit: Commit, avatar: string, stimulus: Stimulus) => void;
  /** Which shard, in which epoch, and on which host. */
  readonly self: Pick<AvatarView, "shard" | "epoch" | "host">;
  readonly reader: RowReader;
  readonly isAwake: (avatar: string) => boolean;
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
      else if (call.name === "showAvatar") this.#show(call, argsOf("showAvatar", call.args));
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

  #show(call: IncomingCall, { avatar }: CallArgs<"showAvatar">): void {
    const { post, self } = this.#options;
    if (shardOf(avatar) !== self.shard)
      throw new CallError("cancel", "item-not-found", "It is of another shard.");
    const isAwake = this.#options.isAwake(avatar);
    post([avatar], (commit) => {
      const view = this.#viewOf(avatar, isAwake);
      if (view.rows > 0) commit.onDurable.push(() => call.reply(view));
      else call.refuse(new CallError("cancel", "item-not-found", `No avatar is called ${avatar}.`));
    });
  }

  #viewOf(avatar: string, isAwake: boolean): AvatarView {
    const { self, reader } = this.#options;
    const entries = reader.list(avatar, withPrefix(""));
    const kinds = new Map<string, number>();
    let chars = 0;
    for (const { key, value } of entries) {
      const [kind = key] = key.split("/", 1);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      chars += key.length + value.length;
    }
    const alarm = reader.get(avatar, ALARM);
    return {
      avatar,
      ...self,
      isAwake,
      rows: entries.length,
      chars,
      kinds: [...kinds].map(([kind, rows]) => ({ kind, rows })),
      alarmAt: alarm === undefined ? null : Number(alarm),
      deadLetters: kinds.get("dead") ?? 0,
    };
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
    commit.rows.push(...this.#options.deadLetters.remove(id, Date.now()));
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
