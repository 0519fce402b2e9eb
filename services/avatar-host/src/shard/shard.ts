/**
 * One shard on the host that owns it: the mailboxes, the awake avatars, and the one place where a turn becomes a commit.
 *
 *     frame, report, call, poll result, alarm ──▶ turn(s) ──▶ one commit ──journal──▶ frames, dispatches, jobs, answers, acks
 *
 * Each stimulus is one commit. What a turn tells to avatars of the same shard becomes further turns of that commit.
 */
import {
  type AddressedEvent,
  ackStanza,
  type Element,
  type FrameBody,
  frameStanza,
  type PollJob,
  type PollResult,
  type Reports,
  reportedStanza,
  type Shard as ShardNumber,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import { type Row, ShardStore, type ShardStoreOptions, withPrefix } from "@tidings/store";
import { Alarms } from "./alarms.ts";
import type { Avatar, IncomingCall } from "./avatar.ts";
import type { AwakeAvatars, AwakeOwner } from "./awake-avatars.ts";
import { Commit, UNFINISHED } from "./commit.ts";
import { Courier } from "./courier.ts";
import { Deferred, type DeferredEvent } from "./deferred.ts";
import { FramePace } from "./frame-pace.ts";
import { Inbox } from "./inbox.ts";
import { Mailboxes } from "./mailbox.ts";
import { Outbox } from "./outbox.ts";
import { AGENT_KEY, AGENT_UP_SPREAD_MS, PresenceRound } from "./presence-round.ts";
import { Turn } from "./turn.ts";

export interface ShardOptions extends Omit<ShardStoreOptions<AddressedEvent>, "onSeal"> {
  /** Domain of the silo, in which the shard and its avatars are addressed. */
  readonly siloDomain: string;
  /** Address of the IM agent. */
  readonly agent: string;
  readonly send: (stanza: Element) => void;
  readonly publishJob: (job: PollJob) => void;
  /** Makes the avatar for a localpart, asleep in its rows until now. */
  readonly createAvatar: (localpart: string, shard: Shard) => Avatar;
  /** The awake avatars of all shards of the host. */
  readonly awake: AwakeAvatars;
}

/** Staged characters above which senders are told to stop. */
const BACKLOG_CHARS = 4_000_000;
const OUTBOX_FRAMES = 2_000;
const DEAD_LETTER_CHARS = 20_000;
/** Over how long the avatars of a shard that was taken over repeat what its last owner may not have sent (milliseconds). */
const TAKEN_OVER_SPREAD_MS = 1_000;
/** Frames on their way above which a large fan-out waits with its next page, and for how long at most (milliseconds). */
const FRAMES_AHEAD = 160;
const CONTINUE_WITHIN_MS = 250;
const CONTINUE_LOOK_MS = 5;

type TurnOf = (avatar: Avatar, turn: Turn) => void;

export class Shard {
  readonly number: ShardNumber;
  readonly epoch: number;
  readonly #options: ShardOptions;
  readonly #self: string;
  readonly #store: ShardStore<AddressedEvent>;
  readonly #awake: AwakeAvatars;
  readonly #owner: AwakeOwner;
  readonly #pace: FramePace;
  readonly #mailboxes: Mailboxes;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #alarms: Alarms;
  readonly #courier: Courier;
  readonly #presence: PresenceRound;
  readonly #deferred: Deferred;
  #isServed = false;
  #isTaking = true;

  private constructor(
    options: ShardOptions,
    store: ShardStore<AddressedEvent>,
    onOutbox: (outbox: Outbox) => void,
  ) {
    const { siloDomain, shard, send } = options;
    this.#options = options;
    this.#store = store;
    this.#awake = options.awake;
    this.#owner = {
      createAvatar: (name) => options.createAvatar(name, this),
      isWaitedFor: (name) => this.#mailboxes.isWaitedFor(name),
    };
    this.#pace = new FramePace(options.background);
    this.number = shard;
    this.epoch = options.epoch;
    this.#self = shardLocalpart(shard);
    const self = this.#self;
    const reader = store;
    const isAwake = (name: string) => name.startsWith("stream:") || !store.isOpen || store.isHydrated(name);
    this.#mailboxes = new Mailboxes(isAwake, (name) => this.#hydrate(name));
    this.#deferred = new Deferred({
      self,
      reader,
      mailboxes: this.#mailboxes,
      isAwake,
      tell: (event, row) => this.#tellDeferred(event, row),
    });
    this.#outbox = new Outbox({
      self,
      reader,
      send: (to, seq, json) =>
        send(frameStanza(siloDomain, to, { stream: shard, seq, epoch: options.epoch }, json)),
      forget: (rows) => store.writeLazily(rows),
    });
    onOutbox(this.#outbox);
    this.#inbox = new Inbox({
      self,
      reader,
      apply: (stream, body, rows, onDurable) => this.#applyFrame(stream, body, rows, onDurable),
      acknowledge: (ack) => send(ackStanza(siloDomain, shard, ack)),
      credit: () => (this.isUnderPressure ? 0 : 32),
    });
    this.#alarms = new Alarms(self, reader, (avatar, row) => this.#ring(avatar, row));
    this.#courier = new Courier(siloDomain, shard, options.agent, send);
    this.#presence = new PresenceRound(self, reader, (users) => this.#askAgain(users));
  }

  /** Takes the shard over for `options.epoch` and brings its rows up to date. Rejects with DeposedError. */
  static async open(options: ShardOptions): Promise<Shard> {
    let outbox: Outbox | undefined;
    let shard: Shard | undefined;
    const onSeal = (told: readonly AddressedEvent[]): Row[] => outbox?.seal(told) ?? [];
    const onLost = (error: Error) => {
      shard?.close();
      options.onLost(error);
    };
    const store = await ShardStore.open<AddressedEvent>({ ...options, onSeal, onLost });
    await store.hydrate(shardLocalpart(options.shard));
    shard = new Shard(options, store, (made) => {
      outbox = made;
    });
    return shard;
  }

  /** The shard is served on the bus (again): sends what waits in the outbox, and at first takes up what was left unfinished. */
  serve(): void {
    this.#outbox.resume();
    if (this.#isServed) return;
    this.#isServed = true;
    this.#alarms.schedule();
    this.#deferred.resume();
    this.#presence.start(TAKEN_OVER_SPREAD_MS);
    const unfinished = this.#store.list(this.#self, withPrefix(UNFINISHED));
    for (const { key } of unfinished) this.#continue(key.slice(UNFINISHED.length));
  }

  /** True while the shard takes nothing more than it must. */
  get isUnderPressure(): boolean {
    return this.#store.backlogChars > BACKLOG_CHARS || this.#outbox.waiting > OUTBOX_FRAMES;
  }

  get framesWaiting(): number {
    return this.#outbox.waiting;
  }

  /** The epoch of the IM agent's present life, as far as the shard knows. */
  get agentEpoch(): number {
    return this.#presence.agentEpoch;
  }

  get inbox(): Inbox {
    return this.#inbox;
  }

  get outbox(): Outbox {
    return this.#outbox;
  }

  /** A call to an avatar of this shard. */
  onCall(localpart: string, call: IncomingCall): void {
    this.#post([localpart], (commit) => {
      try {
        this.#turn(commit, localpart, (avatar, turn) => avatar.onCall(turn, call), "throw");
      } catch (error) {
        call.refuse(error as Error);
      }
    });
  }

  /**
   * Reports of the agent at `agent`; acknowledged when they are durable. Of an earlier life of the agent only presence is
   * void: what became of a delivery stays true.
   */
  onReports(agent: string, id: string, { agentEpoch, reports }: Reports): void {
    const users = Map.groupBy(
      reports.filter((report) => report.kind !== "agentUp"),
      ({ user }) => user,
    );
    this.#post([...users.keys()], (commit) => {
      const known = this.agentEpoch;
      if (agentEpoch > known) this.#noteAgentEpoch(commit, agentEpoch);
      for (const [user, all] of users) {
        const theirs = agentEpoch < known ? all.filter(({ kind }) => kind === "delivery") : all;
        if (theirs.length === 0) continue;
        this.#turn(commit, user, (avatar, turn) => {
          for (const report of theirs) avatar.onReport(turn, report, agentEpoch);
        });
      }
      const { siloDomain, send } = this.#options;
      commit.onDurable.push(() => send(reportedStanza(siloDomain, this.number, agent, id, this.agentEpoch)));
      if (agentEpoch > known) commit.onDurable.push(() => this.#presence.start(AGENT_UP_SPREAD_MS));
    });
  }

  /** A poll's result from the queue; `onDurable` is called when it may be acknowledged there. */
  onPollResult(result: PollResult, onDurable: () => void): void {
    this.#post([result.source], (commit) => {
      this.#turn(commit, result.source, (avatar, turn) => avatar.onPollResult(turn, result));
      commit.onDurable.push(onDurable);
    });
  }

  /** Writes what is durable into the checkpoints, while the shard is served. */
  checkpoint(): Promise<void> {
    return this.#store.checkpoint();
  }

  /** Takes nothing more; what comes is not acknowledged, and comes again to the next owner. */
  pause(): void {
    this.#isTaking = false;
    this.#alarms.close();
    this.#presence.close();
    this.#outbox.close();
    this.#awake.forgetAllOf(this.#owner);
  }

  /** Resolves when what was taken is durable and its effects have left. */
  drained(): Promise<void> {
    return this.#store.drained();
  }

  /** Finishes what has begun, says so in the journal and closes. Takes nothing more. */
  async release(): Promise<void> {
    this.pause();
    await this.#store.release();
  }

  /** Stops at once; what is not durable never happened. */
  close(): void {
    this.pause();
    this.#store.close();
  }

  #noteAgentEpoch(commit: Commit, agentEpoch: number): void {
    this.#presence.agentEpoch = agentEpoch;
    const row = { avatar: this.#self, key: AGENT_KEY, value: String(agentEpoch) };
    commit.rows.push(row);
    this.#store.show([row]);
  }

  #applyFrame(stream: ShardNumber, body: FrameBody, rows: readonly Row[], onDurable: () => void): void {
    const names = body.events.flatMap(({ to }) => to.filter((name) => shardOf(name) === this.number));
    this.#pace.take(stream, names.length, () =>
      this.#post([`stream:${stream}`, ...names], (commit) => {
        commit.rows.push(...rows);
        for (const addressed of body.events) this.#tellHere(commit, addressed);
        commit.onDurable.push(onDurable);
      }),
    );
  }

  #ring(avatar: string, row: Row): void {
    this.#post([avatar], (commit) => {
      this.#alarms.answered(avatar);
      commit.rows.push(row);
      this.#turn(commit, avatar, (awake, turn) => {
        const at = turn.alarmAt;
        if (at === null || at > turn.nowAt) return;
        turn.setAlarm(null);
        awake.onAlarm(turn);
      });
    });
  }

  #askAgain(users: readonly string[]): void {
    this.#post(users, (commit) => {
      for (const user of users) {
        this.#turn(commit, user, (avatar, turn) =>
          avatar.onReport(turn, { kind: "agentUp" }, this.agentEpoch),
        );
      }
    });
  }

  /** A shard that is given away takes nothing more; what is not acknowledged comes again to its next owner. */
  #post(names: readonly string[], work: (commit: Commit) => void): void {
    if (this.#isTaking) this.#mailboxes.post({ names, run: () => this.#run(work) });
  }

  #run(work: (commit: Commit) => void): void {
    if (!this.#isTaking || !this.#store.isOpen) return;
    const commit = new Commit(this.number, this.#alarms);
    work(commit);
    this.#finish(commit);
  }

  #tellDeferred(event: AddressedEvent, row: Row): void {
    this.#run((commit) => {
      commit.rows.push(row);
      this.#tellHere(commit, event);
    });
  }

  /** Runs the turns that the commit's own events ask for in this shard, then writes it. */
  #finish(commit: Commit): void {
    const deferred: DeferredEvent[] = [];
    for (const event of commit.toldHere) {
      if (deferred.length === 0 && !this.#deferred.mustWait(event)) {
        this.#tellHere(commit, event);
        continue;
      }
      const row = this.#deferred.rowFor(event);
      commit.rows.push(row);
      deferred.push({ key: row.key, event });
    }
    this.#store.write({
      rows: commit.rows,
      told: commit.told,
      onDurable: () => {
        if (commit.told.length > 0) this.#outbox.release();
        this.#courier.take(commit.dispatches, commit.asks);
        for (const job of commit.jobs) this.#options.publishJob(job);
        for (const effect of commit.onDurable) effect();
      },
    });
    if (commit.earliestAlarmAt !== null) this.#alarms.schedule(commit.earliestAlarmAt);
    for (const entry of deferred) this.#deferred.post(entry);
    for (const name of commit.unfinished) this.#continue(name);
  }

  /** The next page of a large fan-out, when the receivers have taken what is on its way, or have had time enough to. */
  #continue(name: string, sinceMs = performance.now()): void {
    if (!this.#isTaking) return;
    const isCrowded = this.#outbox.waiting > FRAMES_AHEAD && performance.now() - sinceMs < CONTINUE_WITHIN_MS;
    if (isCrowded) setTimeout(() => this.#continue(name, sinceMs), CONTINUE_LOOK_MS);
    else this.#options.background.run(() => this.#continueNow(name));
  }

  #continueNow(name: string): void {
    this.#post([name], (commit) => {
      commit.rows.push({ avatar: this.#self, key: UNFINISHED + name, value: null });
      this.#turn(commit, name, (avatar, turn) => avatar.onContinue(turn));
    });
  }

  #tellHere(commit: Commit, { from, to, event }: AddressedEvent): void {
    for (const name of to) {
      if (shardOf(name) === this.number)
        this.#turn(commit, name, (avatar, turn) => avatar.onEvent(turn, from, event));
    }
  }

  /**
   * Gives an avatar one turn within `commit`. When it throws, the avatar forgets what it had in memory, and the failure
   * goes to its dead letters, or to the caller.
   */
  #turn(commit: Commit, name: string, work: TurnOf, onError: "throw" | "deadLetter" = "deadLetter"): void {
    const nowAt = Date.now();
    const awake = this.#awake.wake(name, this.#owner, nowAt);
    const turn = new Turn(name, this.#store, nowAt, awake.memory);
    try {
      work(awake.avatar, turn);
    } catch (error) {
      this.#awake.forget(name);
      if (onError === "throw") throw error;
      this.#options.log.error({ err: error, avatar: name }, "turn failed, kept as a dead letter");
      const text = JSON.stringify({ at: turn.nowAt, error: String(error) }).slice(0, DEAD_LETTER_CHARS);
      commit.rows.push({ avatar: name, key: `dead/${turn.nowAt}-${commit.rows.length}`, value: text });
      return;
    }
    this.#store.show(commit.add(turn));
    this.#awake.rest(name);
  }

  async #hydrate(name: string): Promise<void> {
    for (let attempt = 1; this.#store.isOpen && !this.#store.isHydrated(name); attempt++) {
      try {
        await this.#store.hydrate(name);
      } catch (error) {
        this.#options.log.warn(
          { err: error, avatar: name, attempt },
          "avatar could not be read, trying again",
        );
        await new Promise((resolve) => setTimeout(resolve, Math.min(5_000, 100 * 2 ** attempt)));
      }
    }
  }
}
