/**
 * A user avatar: the sole authority for one user. It takes notifications into the history, decides where they go, and is
 * told by agents where the user is and what became of each delivery.
 */
import {
  type Addresses,
  type AgentChannel,
  type AvatarEvent,
  CALLS,
  type CallArgs,
  CallError,
  type Channel,
  type Deed,
  type DeliveryReport,
  isAgentChannel,
  MalformedError,
  type PollResult,
  type PresenceReport,
  type Report,
} from "@tidings/protocol";
import { onlyKey, type Range } from "@tidings/store";
import type { AgentLife, Avatar, IncomingCall } from "../shard/avatar.ts";
import { argsOf } from "../shard/call-args.ts";
import type { Cause } from "../shard/stimulus.ts";
import type { Turn } from "../shard/turn.ts";
import { authorize } from "./account.ts";
import { answerSource, type Given, onSettled } from "./answer-source.ts";
import { BaselineWaits } from "./baseline-waits.ts";
import { type CallContext, HANDLERS, isCallName, type UserCallName, WrongCodeError } from "./calls.ts";
import { carryOut, isNewDeed } from "./deeds.ts";
import { Deliveries, type Situation } from "./deliveries.ts";
import { awaitsMessage, imAddresses, learnReceipts, withReported, withRow } from "./destinations.ts";
import { isUsed } from "./inboxes.ts";
import { textOf } from "./notification-text.ts";
import { answered, remember } from "./operations.ts";
import { pagesHaveLeft } from "./page-calls.ts";
import { Pages } from "./pages.ts";
import { isAnyonePresent, mayHaveTaken, NO_PRESENCE, withReport } from "./presence.ts";
import { CurrentRouting } from "./routing-row.ts";
import {
  CORE,
  type CoreRow,
  type DeliveriesRow,
  type DestinationRow,
  INDEX,
  PRESENCE,
  type PresenceRow,
  SUBSCRIPTION,
  type SubscriptionRow,
  WAKING_ROWS,
  WATCHED,
} from "./rows.ts";
import { onSourceChanged, viewOf } from "./subscriptions.ts";
import { sayNewMessages, saySystemMessage } from "./system-message.ts";
import { isWaitingCall, WAITING_CALLS, type WaitingCallName } from "./waiting-calls.ts";

/** What the user reads of a channel whose agent has never come up. */
const NOT_SERVED: Partial<Record<Channel, string>> = {
  sms: "Text messages are not set up here: the operator has to set the TWILIO_… settings.",
  email: "E-mail is not set up here: the operator has to set TIDINGS_SMTP_RELAY.",
  webhook: "Webhooks are not served at the moment: the operator has to start agent-webhook.",
};

/** What the avatar is told of the bus around it. */
export interface Surroundings {
  /** Which life the agent for a channel is in; 0 when none has ever spoken. */
  readonly epochOf: (channel: AgentChannel) => number;
  /** Grows whenever what was said to agents before may be lost: the bus was away, or did not know whose the shard is. */
  readonly connection: () => number;
  /** For `forMs` from now on web-api is told of each change for `user`. */
  readonly watch?: (user: string, forMs: number) => void;
}

export class UserAvatar implements Avatar {
  /** The pages that the user has open. */
  readonly pages = new Pages();
  readonly #addresses: Addresses;
  readonly #around: Surroundings;
  /** The connection over which what is dispatched has been said. */
  #saidOver = 0;
  readonly #waits = new BaselineWaits();
  readonly #routing = new CurrentRouting();
  #deliveries: Deliveries | null = null;

  constructor(addresses: Addresses, around: Surroundings) {
    this.#addresses = addresses;
    this.#around = around;
  }

  get rowsHeld(): number {
    return this.#deliveries?.openCount ?? 0;
  }

  /** Callers of `subscribe` wait for the source's word, and are not in the rows. */
  get isBusy(): boolean {
    return !this.#waits.isEmpty;
  }

  /** The life of the agent that knows of presence. */
  get agentEpoch(): number {
    return this.#around.epochOf("im");
  }

  wakingRows(cause: Cause): readonly Range[] {
    if (cause.kind !== "event" || cause.event.type !== "notified") return WAKING_ROWS;
    const { from, event } = cause;
    return [...WAKING_ROWS, onlyKey(SUBSCRIPTION + from), onlyKey(INDEX + event.notification.id)];
  }

  /** A page is open. */
  isWatched({ avatar }: Turn, forMs: number): void {
    if (forMs > 0) this.#around.watch?.(avatar, forMs);
  }

  onEvent(turn: Turn, from: string, event: AvatarEvent): void {
    if (event.type === "notified") this.#onNotified(turn, from, event);
    if (event.type === "answerSettled") this.#onSettled(turn, event);
    if (event.type !== "sourceChanged") return;
    const row = onSourceChanged(turn, from, event);
    const waiting = this.#waits.takeFor(from);
    if (row === null) return;
    const view = viewOf(turn, row);
    turn.onDurable(() => {
      for (const answer of waiting) answer(view);
    });
  }

  onPollResult(_turn: Turn, _result: PollResult): void {
    throw new MalformedError("a user avatar polls nothing");
  }

  /** What one agent says of its channel, no other agent may say for it. */
  onReport(turn: Turn, report: Report, { channel, epoch }: AgentLife): void {
    const core = this.#readCore(turn);
    if (core?.state !== "active") return;
    if (report.kind === "agentUp") this.#beginAnew(turn, core, channel);
    else if (report.kind === "delivery") this.#onDelivery(turn, core, report, channel);
    else if (channel === "im") this.#onPresence(turn, core, report, epoch);
  }

  onAlarm(turn: Turn): void {
    const core = this.#readCore(turn);
    if (core?.state !== "active") return;
    pagesHaveLeft(turn, core, this);
    this.#open(turn).onAlarm(turn, this.situation(turn, core));
    if (core.pausedUntilAt !== null && core.pausedUntilAt > turn.nowAt)
      this.#alarmBy(turn, core.pausedUntilAt);
  }

  /** There was more to decide anew than one turn takes. */
  onContinue(turn: Turn): void {
    const core = this.#readCore(turn);
    if (core?.state === "active") this.#open(turn).goOn(turn, this.situation(turn, core));
  }

  onCall(turn: Turn, call: IncomingCall): void {
    if (!isCallName(call.name))
      throw new CallError("cancel", "feature-not-implemented", `There is no call ${call.name}.`);
    const core = this.#readCore(turn);
    authorize(turn, core, call, this.#addresses);
    const args = argsOf(call.name, call.args);
    const done = answered(turn, call);
    const context = { turn, core, call, avatar: this };
    if (isWaitingCall(call.name)) WAITING_CALLS[call.name](context, args as never, done?.answer, this.#waits);
    else if (done !== null) this.#answer(turn, call, done.answer);
    else this.#handle(context, call.name, args);
  }

  /** The JID of the user's IM account. */
  ownAddress(turn: Turn): string {
    return `${turn.avatar}@${this.#addresses.users}`;
  }

  /** The JID at which the user meets the agent. */
  agentAddress(turn: Turn): string {
    return `${turn.avatar}@${this.#addresses.im}`;
  }

  presence(turn: Turn): PresenceRow {
    return turn.get<PresenceRow>(PRESENCE) ?? NO_PRESENCE;
  }

  /** Holds deliveries until then, or lets them go (null). */
  pauseUntil(turn: Turn, core: CoreRow, untilAt: number | null): CoreRow {
    const next = { ...core, pausedUntilAt: untilAt };
    turn.put(CORE, next);
    if (untilAt !== null) this.#alarmBy(turn, untilAt);
    else this.#open(turn).reconsider(turn, this.situation(turn, next));
    return next;
  }

  /**
   * Keeps a destination that Tidings itself has something to say to, and says it; the destination as it is then. Where no
   * agent has ever come up, it says why nothing comes.
   */
  keepDestination(turn: Turn, core: CoreRow, row: DestinationRow): DestinationRow {
    const isServed = !isAgentChannel(row.channel) || this.#around.epochOf(row.channel) > 0;
    const next = isServed ? row : { ...row, problem: NOT_SERVED[row.channel] ?? null };
    this.changeDestinations(turn, withRow(core, next));
    saySystemMessage(turn, next);
    return next;
  }

  /** Keeps the new destinations, asks who is reachable there, and decides anew. */
  changeDestinations(turn: Turn, core: CoreRow): void {
    turn.put(CORE, core);
    this.#open(turn).reconsider(turn, this.situation(turn, core));
    this.#ask(turn, core);
    this.#watchAsNeeded(turn, core);
  }

  /** The user acts on a notification on the page. Throws `item-not-found`. */
  act(turn: Turn, core: CoreRow, id: string, change: (row: DeliveriesRow) => DeliveriesRow): void {
    const deliveries = this.#open(turn);
    const situation = this.situation(turn, core);
    if (!deliveries.act(turn, id, change, situation))
      throw new CallError("cancel", "item-not-found", "There is no such notification in your history.");
    deliveries.reconsider(turn, situation);
    this.#watchAsNeeded(turn, core);
  }

  /** Tells the source what the user has answered on the page. Throws CallError. */
  answer(turn: Turn, core: CoreRow, id: string, answerId: string, given: Given): void {
    const about = { id, answerId, given, destination: null };
    answerSource(turn, about, this.#open(turn), this.situation(turn, core));
    this.#watchAsNeeded(turn, core);
  }

  /** Does what the user has asked for in answer to a message, a notification's or a digest's, at a destination of theirs. */
  carryOut(turn: Turn, core: CoreRow, deed: Deed, about: Parameters<typeof carryOut>[2]): void {
    const situation = this.situation(turn, core);
    const after = carryOut(turn, deed, about, this.#open(turn), situation);
    this.#goOnAs(turn, core, after, situation);
    this.#watchAsNeeded(turn, after);
  }

  /** Decides anew for all that is held, by what has just been changed. */
  decideAnew(turn: Turn, core: CoreRow): void {
    this.#open(turn).reconsider(turn, this.situation(turn, core), true);
  }

  /** What decisions are made by, as this turn has it. */
  situation(turn: Turn, core: CoreRow | undefined = this.#readCore(turn)): Situation {
    if (core === undefined) throw new MalformedError("the avatar has no user");
    return {
      core,
      presence: this.presence(turn),
      agentEpoch: this.agentEpoch,
      pages: this.pages.standingAt(turn.nowAt),
      pausedUntilAt: core.pausedUntilAt,
      routing: this.#routing.in(turn),
    };
  }

  /** The avatar's rows are gone, and so is what it knew of them. */
  forget(): void {
    this.#deliveries = null;
  }

  #onNotified(turn: Turn, from: string, { notification }: AvatarEvent & { type: "notified" }): void {
    const row = turn.get<SubscriptionRow>(SUBSCRIPTION + from);
    const core = this.#readCore(turn);
    if (row === undefined || core?.state !== "active") return;
    isUsed(turn, row);
    const deliveries = this.#open(turn);
    deliveries.take(turn, notification, textOf(notification), this.situation(turn, core));
    if (deliveries.openCount > 0 && !this.#isWatched(turn)) this.#askOfUnknown(turn, core);
    this.#watchAsNeeded(turn, core);
  }

  #onSettled(turn: Turn, { notification, problem }: AvatarEvent & { type: "answerSettled" }): void {
    const core = this.#readCore(turn);
    if (core?.state === "active")
      onSettled(turn, { id: notification, problem }, this.#open(turn), this.situation(turn, core));
  }

  #onDelivery(turn: Turn, core: CoreRow, report: DeliveryReport, channel: AgentChannel): void {
    const destination = core.destinations.find(({ id }) => id === report.destination);
    if (destination !== undefined && destination.channel !== channel) return;
    if (report.did !== undefined) {
      // From an address that is not the user's (any more) nobody acts for them.
      if (destination === undefined || destination.state === "unverified") return;
      if (isNewDeed(turn, report.did.id)) this.carryOut(turn, core, report.did.deed, report);
      return;
    }
    const situation = this.situation(turn, core);
    const deliveries = this.#open(turn);
    deliveries.onReport(turn, report, situation);
    this.#goOnAs(turn, core, learnReceipts(withReported(core, report), report), situation);
  }

  #goOnAs(turn: Turn, core: CoreRow, after: CoreRow, situation: Situation): void {
    if (after !== core) {
      turn.put(CORE, after);
      sayNewMessages(turn, core, after);
      this.#watchAsNeeded(turn, after);
    }
    this.#open(turn).reconsider(turn, after === core ? situation : this.situation(turn, after));
  }

  #onPresence(turn: Turn, core: CoreRow, report: PresenceReport, agentEpoch: number): void {
    if (!core.destinations.some(({ address, state }) => address === report.address && state === "verified"))
      return;
    const before = this.presence(turn);
    const after = withReport(before, report, agentEpoch);
    if (after === before) return;
    turn.put(PRESENCE, after);
    const deliveries = this.#open(turn);
    // Before anything newer goes to this life of the agent: what its last one may not have sent.
    if (agentEpoch > before.agentEpoch) deliveries.repeatDispatches(turn, this.situation(turn, core), "im");
    if (mayHaveTaken(before, report, agentEpoch))
      deliveries.onLeft(turn, report.address, this.situation(turn, core));
    deliveries.reconsider(turn, this.situation(turn, core));
    this.#watchAsNeeded(turn, core);
  }

  /**
   * The agent or the host has come up: asks who is there, and repeats what may never have been sent (the agent drops
   * repeats). A host that died may have decided anew for a part of what is held alone.
   */
  #beginAnew(turn: Turn, core: CoreRow, channel: AgentChannel): void {
    if (channel === "im") this.#ask(turn, core);
    const deliveries = this.#open(turn);
    deliveries.repeatDispatches(turn, this.situation(turn, core), channel);
    for (const row of core.destinations) if (row.channel === channel) saySystemMessage(turn, row);
    deliveries.reconsider(turn, this.situation(turn, core));
  }

  #ask(turn: Turn, core: CoreRow): void {
    askAt(turn, imAddresses(core));
  }

  /** An agent that has come up since the user left was not asked about them: they had nothing to wait for. */
  #askOfUnknown(turn: Turn, core: CoreRow): void {
    const { agentEpoch, addresses } = this.presence(turn);
    const isKnown = (address: string) => agentEpoch >= this.agentEpoch && addresses[address] !== undefined;
    askAt(
      turn,
      imAddresses(core).filter((address) => !isKnown(address)),
    );
  }

  #handle<N extends Exclude<UserCallName, WaitingCallName>>(
    context: CallContext,
    name: N,
    args: CallArgs<N>,
  ): void {
    const { turn, call } = context;
    try {
      const answer = HANDLERS[name](context, args);
      if (CALLS[name].changes && name !== "openSession" && name !== "erase") remember(turn, call, answer);
      this.#answer(turn, call, answer);
    } catch (error) {
      if (!(error instanceof WrongCodeError)) throw error;
      turn.onDurable(() => call.refuse(error));
    }
  }

  #answer(turn: Turn, call: IncomingCall, answer: unknown): void {
    turn.onDurable(() => call.reply(answer));
  }

  #alarmBy(turn: Turn, at: number): void {
    if (turn.alarmAt === null || turn.alarmAt > at) turn.setAlarm(at);
  }

  /**
   * After waking up nobody knows whether what was dispatched has left the host, and after the connection to the bus was
   * broken neither: it goes again, before anything newer.
   */
  #open(turn: Turn): Deliveries {
    const connection = this.#around.connection();
    if (this.#deliveries !== null && this.#saidOver === connection) return this.#deliveries;
    this.#saidOver = connection;
    this.#deliveries ??= new Deliveries(turn);
    const core = this.#readCore(turn);
    if (core?.state === "active") this.#deliveries.repeatDispatches(turn, this.situation(turn, core));
    return this.#deliveries;
  }

  #isWatched(turn: Turn): boolean {
    return turn.get<boolean>(WATCHED) ?? false;
  }

  /** The shard tells of agents that come up while something is under way or somebody is there. */
  #watchAsNeeded(turn: Turn, core: CoreRow): void {
    const isWaiting = this.#open(turn).openCount > 0 || awaitsMessage(core);
    const wanted = isWaiting || isAnyonePresent(this.presence(turn));
    if (this.#isWatched(turn) === wanted) return;
    turn.put(WATCHED, wanted);
    turn.watch = wanted;
  }

  #readCore = (turn: Turn): CoreRow | undefined => turn.get<CoreRow>(CORE);
}

function askAt({ avatar, asks }: Turn, addresses: string[]): void {
  if (addresses.length > 0) asks.push({ user: avatar, addresses });
}
