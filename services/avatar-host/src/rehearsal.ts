/** An avatar on its own, for tests: gives it turns on rows in memory, at a time that the test sets, and notes what it says. */
import type {
  AgentChannel,
  AvatarEvent,
  CallbackResult,
  Dispatch,
  Job,
  PollResult,
  Publication,
  Report,
} from "@tidings/protocol";
import { MemoryRows } from "./memory-rows.ts";
import type { Avatar, IncomingCall } from "./shard/avatar.ts";
import { Turn } from "./shard/turn.ts";

export class Rehearsal {
  readonly rows = new MemoryRows();
  readonly #name: string;
  readonly #create: () => Avatar;
  #avatar: Avatar;
  #memory = new Map<string, unknown>();
  /** Epoch milliseconds of the next turn. */
  nowAt = Date.UTC(2026, 0, 1);
  /** What the last turn said. */
  told: { readonly to: readonly string[]; readonly event: AvatarEvent }[] = [];
  dispatches: Dispatch[] = [];
  /** The channels of these dispatches. */
  dispatchedBy: AgentChannel[] = [];
  asked: string[] = [];
  jobs: Job[] = [];
  wantsAnother = false;
  alarmAt: number | null = null;
  watches = false;

  constructor(name: string, create: () => Avatar) {
    this.#name = name;
    this.#create = create;
    this.#avatar = create();
  }

  get isBusy(): boolean {
    return this.#avatar.isBusy;
  }

  /** The avatar's memory goes, its rows stay. */
  fallsAsleep(): void {
    this.#avatar = this.#create();
    this.#memory = new Map();
  }

  /** Writes a row beside the avatar's own turns; `value` as it is in JSON. */
  isGiven(key: string, value: unknown): void {
    this.rows.apply([{ avatar: this.#name, key, value: JSON.stringify(value) }]);
    this.#memory.delete(key);
  }

  hears(from: string, event: AvatarEvent): void {
    this.#turn((avatar, turn) => avatar.onEvent(turn, from, event));
  }

  getsResult(result: PollResult): void {
    this.#turn((avatar, turn) => avatar.onPollResult(turn, result));
  }

  getsPublished(publication: Publication): void {
    this.#turn((avatar, turn) => avatar.onPublished?.(turn, publication));
  }

  getsCallbackResult(result: CallbackResult): void {
    this.#turn((avatar, turn) => avatar.onCallbackResult?.(turn, result));
  }

  /** A report of one life of an agent, that for im unless said otherwise. */
  getsReport(report: Report, epoch: number, channel: AgentChannel = "im"): void {
    this.#turn((avatar, turn) => avatar.onReport(turn, report, { channel, epoch }));
  }

  isTakenOver(): void {
    this.#turn((avatar, turn) => avatar.onTakenOver?.(turn));
  }

  goesOn(): void {
    this.#turn((avatar, turn) => avatar.onContinue(turn));
  }

  /** Moves the clock to the alarm and rings it. */
  isRung(): void {
    if (this.alarmAt === null) throw new Error("no alarm is set");
    this.nowAt = Math.max(this.nowAt, this.alarmAt);
    this.#turn((avatar, turn) => {
      turn.setAlarm(null);
      avatar.onAlarm(turn);
    });
  }

  /** Resolves with the answer, or rejects with the refusal. */
  isCalled(call: Pick<IncomingCall, "name" | "args"> & Partial<IncomingCall>): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const whole = { op: null, authority: null, fromDomain: "", reply: resolve, refuse: reject, ...call };
    try {
      this.#turn((avatar, turn) => avatar.onCall(turn, whole));
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  #turn(work: (avatar: Avatar, turn: Turn) => void): void {
    const turn = new Turn(this.#name, this.rows, this.nowAt, this.#memory);
    try {
      work(this.#avatar, turn);
    } catch (error) {
      this.fallsAsleep();
      throw error;
    }
    this.rows.apply(turn.rows());
    this.told = turn.told.map(({ to, event }) => ({ to, event }));
    this.dispatches = turn.dispatches.map(({ dispatch }) => dispatch);
    this.dispatchedBy = turn.dispatches.map(({ channel }) => channel);
    this.asked = turn.asks.flatMap(({ addresses }) => addresses);
    this.jobs = [...turn.jobs];
    this.wantsAnother = turn.wantsAnother;
    this.alarmAt = turn.alarmAt;
    if (turn.watch !== null) this.watches = turn.watch;
    for (const effect of turn.effects) effect();
  }
}
