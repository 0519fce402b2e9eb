/**
 * One shard on the host that owns it: the mailboxes, the awake avatars, and the one place where a turn becomes a commit.
 *
 *     frame, report, call, poll result, alarm ──▶ turn(s) ──▶ one commit ──journal──▶ frames, dispatches, jobs, answers, acks
 *
 * Each stimulus is one commit. What a turn tells to avatars of the same shard becomes further turns of that commit.
 */
import {
  type AddressedEvent,
  type AgentChannel,
  ackStanza,
  changedStanza,
  type FrameBody,
  frameStanza,
  type Reports,
  reportedStanza,
  type Shard as ShardNumber,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import { type Row, ShardStore } from "@tidings/store";
import { Agents } from "./agents.ts";
import { Alarms } from "./alarms.ts";
import type { IncomingCall } from "./avatar.ts";
import type { AwakeAvatars, AwakeOwner } from "./awake-avatars.ts";
import { systemClock } from "./clock.ts";
import { Commit } from "./commit.ts";
import { Courier } from "./courier.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Deferred, type DeferredEvent } from "./deferred.ts";
import { FramePace } from "./frame-pace.ts";
import { hydratePatiently } from "./hydrate-patiently.ts";
import { Inbox } from "./inbox.ts";
import { Mailboxes } from "./mailbox.ts";
import { OperatorCalls } from "./operator-calls.ts";
import { Outbox } from "./outbox.ts";
import { readerFor } from "./read-ahead.ts";
import { SHARD_BOUNDS, type ShardOptions } from "./shard-options.ts";
import { type Cause, type Stimulus, stimulate } from "./stimulus.ts";
import { TakenOver } from "./taken-over.ts";
import { traceTurn } from "./trace-log.ts";
import { Turn } from "./turn.ts";
import { Unfinished } from "./unfinished.ts";
import { Watchers } from "./watchers.ts";

export class Shard {
  /** Which life of each agent the shard knows of. */
  readonly agents: Agents;
  /** For whom a page is open. */
  readonly watchers: Watchers;
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
  readonly alarms: Alarms;
  readonly #courier: Courier;
  readonly #deferred: Deferred;
  readonly #deadLetters: DeadLetters;
  readonly #operators: OperatorCalls;
  readonly #unfinished: Unfinished;
  readonly #takenOver: TakenOver;
  #isServed = false;
  #isTaking = true;

  private constructor(
    options: ShardOptions,
    store: ShardStore<AddressedEvent>,
    onOutbox: (outbox: Outbox) => void,
  ) {
    const { siloDomain, shard, send, awake, background } = options;
    [this.#options, this.#store, this.#awake] = [options, store, awake];
    this.#owner = {
      createAvatar: (name) => options.createAvatar(name, this),
      isWaitedFor: (name) => this.#mailboxes.isWaitedFor(name),
    };
    this.#pace = new FramePace(background);
    [this.number, this.epoch, this.#self] = [shard, options.epoch, shardLocalpart(shard)];
    const [self, reader] = [this.#self, store];
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
      turn: (commit, avatar, stimulus) => this.#turn(commit, avatar, stimulus),
      self: { shard, epoch: options.epoch, host: options.host },
      reader,
      isAwake: (avatar) => awake.has(avatar),
    });
    this.alarms = new Alarms(self, reader, (avatar, row, at) => this.#ring(avatar, row, at));
    this.#courier = new Courier(options, options.agents, send);
    this.watchers = new Watchers((user) => send(changedStanza(siloDomain, options.web, user)));
    const give = (users: readonly string[], stimulus: () => Stimulus) => this.#giveAll(users, stimulus);
    this.agents = new Agents({ self, reader, give, background });
    const takeOver = (sources: readonly string[]) => this.#giveAll(sources, () => ({ kind: "takenOver" }));
    this.#takenOver = new TakenOver(self, reader, takeOver, background);
    this.#unfinished = new Unfinished({
      self,
      reader,
      background,
      framesWaiting: () => this.#outbox.waiting,
      goOn: (avatar, row) => this.#giveAll([avatar], () => ({ kind: "continue" }), [row]),
    });
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
    this.agents.isClaimed();
    if (this.#isServed) return;
    this.#isServed = true;
    this.alarms.schedule();
    this.#deferred.resume();
    this.#unfinished.resume();
    this.#takenOver.start(Date.now());
  }

  /** True while the shard takes nothing more than it must. */
  get isUnderPressure(): boolean {
    const { backlogChars, outboxFrames } = this.#options.bounds ?? SHARD_BOUNDS;
    return this.#store.backlogChars > backlogChars || this.#outbox.waiting > outboxFrames;
  }

  get framesWaiting(): number {
    return this.#outbox.waiting;
  }

  /** Receivers from whom nothing was heard for hours. */
  get parkedStreams(): readonly ShardNumber[] {
    return this.#outbox.parked;
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

  /**
   * Reports of the agent for `channel`; acknowledged when they are durable. Of an earlier life of the agent only presence is
   * void: what became of a delivery stays true.
   */
  onReports(channel: AgentChannel, id: string, { agentEpoch, reports }: Reports): void {
    this.#courier.heard(reports);
    const users = Map.groupBy(
      reports.filter((report) => report.kind !== "agentUp"),
      ({ user }) => user,
    );
    this.#post([...users.keys()], (commit) => {
      const known = this.agents.epochOf(channel);
      if (agentEpoch > known) this.#noteAgentLife(commit, channel, agentEpoch);
      for (const [user, all] of users) {
        const theirs = agentEpoch < known ? all.filter(({ kind }) => kind === "delivery") : all;
        if (theirs.length > 0)
          this.#give(commit, user, { kind: "reports", reports: theirs, channel, agentEpoch });
      }
      const { siloDomain, send, agents } = this.#options;
      // An agent takes orders from when it is acknowledged: what was decided before that must not be among them.
      commit.onDurable.push(() => this.#courier.flush());
      commit.onDurable.push(() =>
        send(reportedStanza(siloDomain, this.number, agents[channel], id, this.agents.epochOf(channel))),
      );
      if (agentEpoch > known) commit.onDurable.push(() => this.agents.begin(channel));
    });
  }

  /** What came from the queue for `source`; `onDurable` is called when it may be acknowledged there. */
  onQueued(source: string, stimulus: Stimulus, onDurable: () => void): void {
    this.#post([source], (commit) => {
      this.#give(commit, source, stimulus);
      commit.onDurable.push(onDurable);
    });
  }

  /** Before it is given back, and while it is served: see the store. Resolves with the avatars to be read beforehand. */
  prepareRelease(): Promise<string[]> {
    return this.#store.prepareRelease(this.#awake.lastUsedOf(this.#owner));
  }

  /** Takes nothing more; what comes is not acknowledged, and comes again to the next owner. */
  pause(): void {
    this.#isTaking = false;
    const { alarms, agents } = this;
    for (const part of [alarms, agents, this.#courier, this.#unfinished, this.#takenOver, this.#outbox])
      part.close();
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

  #callAvatar(localpart: string, call: IncomingCall): void {
    this.#post([localpart], (commit) => {
      try {
        this.#turn(commit, localpart, { kind: "call", call });
      } catch (error) {
        call.refuse(error as Error);
      }
    });
  }

  #noteAgentLife(commit: Commit, channel: AgentChannel, agentEpoch: number): void {
    const row = this.agents.note(channel, agentEpoch);
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

  #ring(avatar: string, row: Row, at: number): void {
    this.#post([avatar], (commit) => {
      this.alarms.answered(avatar);
      commit.rows.push(row);
      this.#give(commit, avatar, { kind: "alarm", at });
    });
  }

  /** Gives each avatar a turn for what `stimulus` is by then, in one commit with `rows`. */
  #giveAll(names: readonly string[], stimulus: () => Stimulus, rows: readonly Row[] = []): void {
    this.#post(names, (commit) => {
      commit.rows.push(...rows);
      for (const name of names) this.#give(commit, name, stimulus());
    });
  }

  /** A shard that is given away takes nothing more; what is not acknowledged comes again to its next owner. */
  #post(names: readonly string[], work: (commit: Commit) => void): void {
    if (this.#isTaking) this.#mailboxes.post({ names, run: () => this.#run(work) });
  }

  #run(work: (commit: Commit) => void): void {
    if (!this.#isTaking || !this.#store.isOpen) return;
    const commit = new Commit(this.number, this.alarms, this.watchers);
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
        for (const effect of commit.onDurable) effect();
        this.#courier.take(commit.dispatches, commit.asks);
        for (const job of commit.jobs) this.#options.publishJob(job);
        this.#inbox.reconsider();
      },
    });
    if (commit.earliestAlarmAt !== null) this.alarms.schedule(commit.earliestAlarmAt);
    for (const entry of deferred) this.#deferred.post(entry);
    for (const name of commit.unfinished) this.#unfinished.later(name);
  }

  #tellHere(commit: Commit, { from, to, event }: AddressedEvent): void {
    for (const name of to) {
      if (shardOf(name) === this.number) this.#give(commit, name, { kind: "event", from, event });
    }
  }

  /** Gives an avatar one turn for `stimulus` within `commit`; what it cannot take goes to its dead letters. */
  #give(commit: Commit, name: string, stimulus: Stimulus): void {
    try {
      this.#turn(commit, name, stimulus);
    } catch (error) {
      const rows = this.#deadLetters.keep(name, Date.now(), error, stimulus);
      this.#store.show(rows);
      commit.rows.push(...rows);
    }
  }

  /** Gives an avatar one turn within `commit`. When it throws, the avatar forgets what it had in memory. */
  #turn(commit: Commit, name: string, cause: Cause): void {
    const nowAt = Date.now();
    const awake = this.#awake.wake(name, this.#owner, performance.now());
    const turn = new Turn(name, readerFor(name, awake, cause, this.#store), nowAt, awake.memory);
    try {
      stimulate(awake.avatar, turn, cause);
    } catch (error) {
      this.#awake.forget(name);
      throw error;
    }
    traceTurn(this.#options.log, turn, cause);
    this.#store.show(commit.add(turn));
    this.#awake.rest(name);
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
}
