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
  type FrameBody,
  frameStanza,
  type PollResult,
  type Report,
  type Reports,
  reportedStanza,
  type Shard as ShardNumber,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import { type Row, ShardStore, withPrefix } from "@tidings/store";
import { Alarms } from "./alarms.ts";
import type { Avatar, IncomingCall } from "./avatar.ts";
import { systemClock } from "./clock.ts";
import { Commit, UNFINISHED } from "./commit.ts";
import { Courier } from "./courier.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Deferred, type DeferredEvent } from "./deferred.ts";
import { hydratePatiently } from "./hydrate-patiently.ts";
import { Inbox } from "./inbox.ts";
import { Mailboxes } from "./mailbox.ts";
import { OperatorCalls } from "./operator-calls.ts";
import { Outbox } from "./outbox.ts";
import { AGENT_KEY, AGENT_UP_SPREAD_MS, PresenceRound } from "./presence-round.ts";
import { SHARD_BOUNDS, type ShardOptions } from "./shard-options.ts";
import { type Stimulus, stimulate } from "./stimulus.ts";
import { Turn } from "./turn.ts";

/** Over how long the avatars of a shard that was taken over repeat what its last owner may not have sent (milliseconds). */
const TAKEN_OVER_SPREAD_MS = 1_000;
const MOST_AWAKE = 20_000;

interface AwakeAvatar {
  readonly avatar: Avatar;
  /** Rows that its turns remember. */
  readonly memory: Map<string, unknown>;
  usedAt: number;
}

export class Shard {
  readonly number: ShardNumber;
  readonly epoch: number;
  readonly #options: ShardOptions;
  readonly #self: string;
  readonly #store: ShardStore<AddressedEvent>;
  readonly #awake = new Map<string, AwakeAvatar>();
  readonly #mailboxes: Mailboxes;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #alarms: Alarms;
  readonly #courier: Courier;
  readonly #presence: PresenceRound;
  readonly #deferred: Deferred;
  readonly #deadLetters: DeadLetters;
  readonly #operators: OperatorCalls;
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
    this.number = shard;
    this.epoch = options.epoch;
    this.#self = shardLocalpart(shard);
    const self = this.#self;
    const reader = store;
    const isAwake = (name: string) => name.startsWith("stream:") || !store.isOpen || store.isHydrated(name);
    this.#mailboxes = new Mailboxes(isAwake, (name) => hydratePatiently(store, name, options.log));
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
      clock: systemClock,
      send: (to, seq, json) =>
        send(frameStanza(siloDomain, to, { stream: shard, seq, epoch: options.epoch }, json)),
      forget: (rows) => store.writeLazily(rows),
      onProgress: () => this.#inbox.reconsider(),
      onParked: (to, frames, since) =>
        options.log.error({ shard, to, frames, since }, "stream of frames is parked: nobody acknowledges"),
      bury: (to, json, row, done) => this.#bury(to, json, row, done),
    });
    onOutbox(this.#outbox);
    this.#inbox = new Inbox({
      self,
      reader,
      apply: (stream, body, rows, onDurable) => this.#applyFrame(stream, body, rows, onDurable),
      acknowledge: (ack) => send(ackStanza(siloDomain, shard, ack)),
      credit: () => (this.isUnderPressure ? 0 : 32),
    });
    this.#deadLetters = new DeadLetters({ self, reader, log: options.log });
    this.#operators = new OperatorCalls({
      deadLetters: this.#deadLetters,
      web: options.web,
      post: (names, work) => this.#post(names, work),
      turn: (commit, avatar, stimulus) =>
        this.#turn(commit, avatar, (awake, turn) => stimulate(awake, turn, stimulus)),
      now: Date.now,
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
    const { backlogChars, outboxFrames } = this.#options.bounds ?? SHARD_BOUNDS;
    return this.#store.backlogChars > backlogChars || this.#outbox.waiting > outboxFrames;
  }

  get awakeAvatars(): number {
    return this.#awake.size;
  }

  get framesWaiting(): number {
    return this.#outbox.waiting;
  }

  /** Receivers from whom nothing was heard for hours. */
  get parkedStreams(): readonly ShardNumber[] {
    return this.#outbox.parked;
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

  /** A call to an avatar of this shard, or to the shard itself. */
  onCall(localpart: string, call: IncomingCall): void {
    if (localpart === this.#self) this.#operators.onCall(call);
    else this.#callAvatar(localpart, call);
  }

  /** Reports of the agent at `agent`; acknowledged when they are durable. */
  onReports(agent: string, id: string, { agentEpoch, reports }: Reports): void {
    const known = this.agentEpoch;
    const users = Map.groupBy(reports.filter(hasUser), ({ user }) => user);
    this.#post([...users.keys()], (commit) => {
      if (agentEpoch > known) this.#noteAgentEpoch(commit, agentEpoch);
      for (const [user, theirs] of agentEpoch < known ? [] : users) {
        this.#give(commit, user, { kind: "reports", reports: theirs, agentEpoch });
      }
      commit.onDurable.push(() =>
        this.#options.send(reportedStanza(this.#options.siloDomain, this.number, agent, id)),
      );
      if (agentEpoch > known) commit.onDurable.push(() => this.#presence.start(AGENT_UP_SPREAD_MS));
    });
  }

  /** A poll's result from the queue; `onDurable` is called when it may be acknowledged there. */
  onPollResult(result: PollResult, onDurable: () => void): void {
    this.#post([result.source], (commit) => {
      this.#give(commit, result.source, { kind: "pollResult", result });
      commit.onDurable.push(onDurable);
    });
  }

  /** Lets avatars that nobody has needed for a while go to sleep: their rows stay, their memory goes. */
  passivate(nowAt: number): void {
    for (const [name, { usedAt }] of this.#awake) {
      if (nowAt - usedAt >= this.#options.idleMs || this.#awake.size > MOST_AWAKE) this.#awake.delete(name);
    }
  }

  /** Finishes what has begun, says so in the journal and closes. Takes nothing more. */
  async release(): Promise<void> {
    this.#stopTimers();
    await this.#store.release();
  }

  /** Stops at once; what is not durable never happened. */
  close(): void {
    this.#stopTimers();
    this.#store.close();
  }

  #callAvatar(localpart: string, call: IncomingCall): void {
    this.#post([localpart], (commit) => {
      try {
        this.#turn(commit, localpart, (avatar, turn) => avatar.onCall(turn, call));
      } catch (error) {
        call.refuse(error as Error);
      }
    });
  }

  #stopTimers(): void {
    this.#isTaking = false;
    this.#alarms.close();
    this.#presence.close();
    this.#outbox.close();
  }

  #noteAgentEpoch(commit: Commit, agentEpoch: number): void {
    this.#presence.agentEpoch = agentEpoch;
    const row = { avatar: this.#self, key: AGENT_KEY, value: String(agentEpoch) };
    commit.rows.push(row);
    this.#store.show([row]);
  }

  #applyFrame(stream: ShardNumber, body: FrameBody, rows: readonly Row[], onDurable: () => void): void {
    const names = body.events.flatMap(({ to }) => to.filter((name) => shardOf(name) === this.number));
    this.#post([`stream:${stream}`, ...names], (commit) => {
      commit.rows.push(...rows);
      for (const addressed of body.events) this.#tellHere(commit, addressed);
      commit.onDurable.push(onDurable);
    });
  }

  #ring(avatar: string, row: Row): void {
    this.#post([avatar], (commit) => {
      this.#alarms.answered(avatar);
      commit.rows.push(row);
      this.#give(commit, avatar, { kind: "alarm" });
    });
  }

  #askAgain(users: readonly string[]): void {
    this.#post(users, (commit) => {
      const { agentEpoch } = this;
      for (const user of users)
        this.#give(commit, user, { kind: "reports", reports: [{ kind: "agentUp" }], agentEpoch });
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
        this.#inbox.reconsider();
      },
    });
    if (commit.earliestAlarmAt !== null) this.#alarms.schedule(commit.earliestAlarmAt);
    for (const entry of deferred) this.#deferred.post(entry);
    for (const name of commit.unfinished) this.#continue(name);
  }

  #continue(name: string): void {
    setImmediate(() =>
      this.#post([name], (commit) => {
        commit.rows.push({ avatar: this.#self, key: UNFINISHED + name, value: null });
        this.#give(commit, name, { kind: "continue" });
      }),
    );
  }

  #tellHere(commit: Commit, { from, to, event }: AddressedEvent): void {
    for (const name of to) {
      if (shardOf(name) === this.number) this.#give(commit, name, { kind: "event", from, event });
    }
  }

  /** Gives an avatar one turn for `stimulus` within `commit`; what it cannot take goes to its dead letters. */
  #give(commit: Commit, name: string, stimulus: Stimulus): void {
    try {
      this.#turn(commit, name, (avatar, turn) => stimulate(avatar, turn, stimulus));
    } catch (error) {
      const rows = this.#deadLetters.keep(name, Date.now(), error, stimulus);
      this.#store.show(rows);
      commit.rows.push(...rows);
    }
  }

  /** Gives an avatar one turn within `commit`. When it throws, the avatar forgets what it had in memory. */
  #turn(commit: Commit, name: string, work: (avatar: Avatar, turn: Turn) => void): void {
    const nowAt = Date.now();
    const awake = this.#wakeUp(name, nowAt);
    const turn = new Turn(name, this.#store, nowAt, awake.memory);
    try {
      work(awake.avatar, turn);
    } catch (error) {
      this.#awake.delete(name);
      throw error;
    }
    this.#store.show(commit.add(turn));
  }

  #bury(to: ShardNumber, json: string, row: Row, done: () => void): void {
    const { events } = JSON.parse(json) as FrameBody;
    const error = `shard ${to} has not acknowledged this frame for days`;
    this.#run((commit) => {
      const rows = this.#deadLetters.keep(this.#self, Date.now(), error, { kind: "frame", events });
      commit.rows.push(row, ...rows);
      commit.onDurable.push(done);
    });
  }

  #wakeUp(name: string, nowAt: number): AwakeAvatar {
    let entry = this.#awake.get(name);
    if (entry === undefined)
      entry = { avatar: this.#options.createAvatar(name, this), memory: new Map(), usedAt: nowAt };
    else this.#awake.delete(name);
    entry.usedAt = nowAt;
    this.#awake.set(name, entry);
    return entry;
  }
}

function hasUser(report: Report): report is Exclude<Report, { kind: "agentUp" }> {
  return report.kind !== "agentUp";
}
