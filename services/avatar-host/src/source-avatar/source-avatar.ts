/**
 * A source avatar for a feed: its subscribers, its poll schedule and validators, and the order of its notifications.
 *
 *     checking ──first fetch: baseline──▶ active ──failure──▶ failing ──success──▶ active
 *         │                                    │                 └──gone (410)──▶ ended, until somebody subscribes again
 *         └──failure──▶ failing                └── no subscribers: it sleeps, and begins again with a new baseline
 *
 * After five failures in a row its subscribers are told, once, and once more when it can be read again.
 */
import { randomUUID } from "node:crypto";
import {
  type AvatarEvent,
  CallError,
  type Item,
  type Notification,
  type PollResult,
  type PollStanding,
  type Report,
} from "@tidings/protocol";
import { histogram } from "@tidings/runtime";
import type { Avatar, IncomingCall } from "../shard/avatar.ts";
import { argsOf } from "../shard/call-args.ts";
import type { Turn } from "../shard/turn.ts";
import { fanOut } from "./fan-out.ts";
import {
  answerHub,
  asked,
  type HubRow,
  hubAfter,
  LEASE_SECONDS,
  missed,
  renewalAt,
  sends,
} from "./hub-lease.ts";
import { isBaseline, takeNews } from "./news.ts";
import {
  jobLostAt,
  LONGEST_MS,
  MOST_STRAIN,
  nextAfterFailure,
  nextAfterSuccess,
  type PollPace,
  strainAfter,
} from "./poll-schedule.ts";
import { newSource, SOURCE, type SourceRow } from "./rows.ts";
import { forgetOldSeen } from "./seen.ts";
import { backNotice, DEAD_AFTER, deadNotice, goneNotice, type Standing } from "./standing-notice.ts";
import { addSubscriber, type Change, firstSubscribers, removeSubscriber } from "./subscribers.ts";

const MINUTES = [1, 5, 10, 20, 30, 60, 120, 240, 480, 1_440];
const AGE = histogram(
  "tidings_feed_age_seconds",
  "How long ago a feed had been read when it was read again: how old what is known of it becomes.",
  { bounds: MINUTES.map((minutes) => minutes * 60) },
);

/** After so many failures in a row a feed that was moved is asked where it was before. */
const MOVED_FAILURES = 3;

export interface SourceSettings {
  readonly pace: PollPace;
  readonly silo: string;
  /** Domain of web-api, which asks on behalf of hubs. */
  readonly web: string;
}

export class SourceAvatar implements Avatar {
  readonly #settings: SourceSettings;
  /** Whether something may not have been told to all yet; after waking up nobody knows. */
  #hasLeft = true;

  constructor(settings: SourceSettings) {
    this.#settings = settings;
  }

  readonly rowsHeld = 0;
  readonly isBusy = false;

  onEvent(turn: Turn, from: string, event: AvatarEvent): void {
    if (event.type === "subscribed") this.#subscribe(turn, from, event);
    if (event.type === "unsubscribed") this.#unsubscribe(turn, from);
  }

  onPollResult(turn: Turn, result: PollResult): void {
    const source = turn.get<SourceRow>(SOURCE);
    if (source === undefined || source.subscribers === 0) return;
    if (result.pushed === true) this.#onPushed(turn, source, result);
    else if (result.outcome === "postponed") this.#postpone(turn, source, result);
    else if (result.outcome === "failed") this.#onFailure(turn, source, result);
    else if (result.outcome === "unchanged") this.#onUnchanged(turn, source, result);
    else this.#onItems(turn, source, result);
  }

  onAlarm(turn: Turn): void {
    const source = turn.get<SourceRow>(SOURCE);
    if (source === undefined || source.subscribers === 0) return;
    const isLost = source.job !== null;
    const strain = isLost ? Math.min(MOST_STRAIN, (source.strain ?? 0) + 1) : (source.strain ?? 0);
    turn.put(SOURCE, this.#poll(turn, { ...source, strain }));
  }

  /**
   * A job that was out may not have reached the queue: it goes again, under its id. When it had, two results come; what the
   * second one brings has been seen, and its validators are as good.
   */
  onTakenOver(turn: Turn): void {
    const source = turn.get<SourceRow>(SOURCE);
    if (source === undefined || source.subscribers === 0 || source.job === null) return;
    turn.put(SOURCE, this.#poll(turn, source, source.job.id));
  }

  onContinue(turn: Turn): void {
    this.#hasLeft = fanOut(turn, []);
  }

  onReport(_turn: Turn, _report: Report): void {
    // Agents have nothing to say to a source.
  }

  onCall(turn: Turn, call: IncomingCall): void {
    const row = turn.get<SourceRow>(SOURCE);
    const source = row === undefined || row.subscribers === 0 ? undefined : row;
    const answer = call.fromDomain === this.#settings.web ? onServiceCall(turn, source, call) : null;
    if (answer === null)
      throw new CallError("cancel", "item-not-found", `A source takes no call ${call.name}.`);
    turn.onDurable(() => call.reply(answer));
  }

  #subscribe(turn: Turn, user: string, { url, edits }: AvatarEvent & { type: "subscribed" }): void {
    const source = turn.get<SourceRow>(SOURCE) ?? newSource(url);
    const counts = counted(source, addSubscriber(turn, user, source.seq, edits));
    if (source.state !== "checking") {
      turn.tell([user], {
        type: "sourceChanged",
        state: source.state,
        title: source.title,
        problem: source.problem,
      });
    }
    const waiting =
      source.state === "checking" ? [...new Set([...source.waiting, user])].slice(-1_000) : source.waiting;
    const next = { ...source, ...counts, waiting };
    turn.put(
      SOURCE,
      source.job === null && (turn.alarmAt === null || source.state !== "active")
        ? this.#poll(turn, next)
        : next,
    );
  }

  /** The last subscriber takes the schedule and the baseline along: a later one begins anew. */
  #unsubscribe(turn: Turn, user: string): void {
    const source = turn.get<SourceRow>(SOURCE);
    const change = removeSubscriber(turn, user);
    if (source === undefined || change.subscribers === 0) return;
    const counts = counted(source, change);
    if (counts.subscribers > 0) {
      turn.put(SOURCE, { ...source, ...counts });
      return;
    }
    const { url, title, seq, polls } = source;
    turn.put(SOURCE, { ...newSource(url), title, seq, polls, seenCount: source.seenCount });
    turn.setAlarm(null);
  }

  /** Puts a poll job on the queue when the commit is durable; if nothing comes of it, the alarm does so again. */
  #poll(turn: Turn, source: SourceRow, id: string = randomUUID()): SourceRow {
    const validators = source.state === "checking" ? { etag: null, lastModified: null } : source.validators;
    const url = source.movedTo ?? source.url;
    turn.jobs.push({ job: id, source: turn.avatar, silo: this.#settings.silo, url, validators });
    turn.setAlarm(jobLostAt(turn.nowAt, source.strain ?? 0));
    return { ...source, job: { id, since: turn.nowAt } };
  }

  #onItems(turn: Turn, source: SourceRow, result: PollResult): void {
    const { told, next } = takeNews(turn, source, result.items);
    const isLast = result.part === result.parts;
    const back =
      isLast && source.isSaidDead === true ? [backNotice(standingOf(turn, source, result.job))] : [];
    const isMissed = next.hub != null && told.length > 0;
    const stored = isMissed ? { ...next, hub: missed(next.hub, turn.nowAt) } : next;
    this.#tell(turn, stored, [...back, ...told], (row) =>
      isLast ? this.#finishPoll(turn, row, result) : row,
    );
  }

  /** A part of the feed, beside the polls: it changes nothing of them, and counts once there is a baseline. */
  #onPushed(turn: Turn, source: SourceRow, { items }: PollResult): void {
    if (isBaseline(source)) return;
    if (items.length === 0) {
      if (source.job === null) turn.put(SOURCE, this.#poll(turn, source));
      return;
    }
    const { told, next } = takeNews(turn, source, items);
    this.#tell(turn, next.hub == null ? next : { ...next, hub: { ...next.hub, misses: 0 } }, told);
  }

  /** Gives `items` their numbers, writes the row as `change` leaves it, and tells them. */
  #tell(
    turn: Turn,
    source: SourceRow,
    items: readonly Item[],
    change: (row: SourceRow) => SourceRow = (row) => row,
  ): void {
    const told: Notification[] = items.map((item, at) => ({
      ...item,
      source: turn.avatar,
      seq: source.seq + 1 + at,
      receivedAt: turn.nowAt,
    }));
    turn.put(SOURCE, change({ ...source, seq: source.seq + told.length }));
    if (told.length > 0) this.#hasLeft = fanOut(turn, told, this.#hasLeft);
  }

  #onUnchanged(turn: Turn, source: SourceRow, result: PollResult): void {
    const back = source.isSaidDead === true ? [backNotice(standingOf(turn, source, result.job))] : [];
    this.#tell(turn, source, back, (row) => this.#finishPoll(turn, row, result));
  }

  /** The document is stored whole: now its validators count, and the next poll is set. */
  #finishPoll(turn: Turn, source: SourceRow, result: PollResult): SourceRow {
    const strain = strainAfter(source.strain ?? 0, tookMs(turn, source, result));
    const silentMs = turn.nowAt - (source.newestAt ?? turn.nowAt);
    const hub = this.#askHub(turn, hubAfter(source.hub ?? null, result.hub, turn.nowAt));
    const found = {
      silentMs,
      freshForMs: result.freshForMs ?? 0,
      strain,
      isPushed: sends(hub, turn.nowAt),
      untilAt: renewalAt(hub),
    };
    turn.setAlarm(nextAfterSuccess(turn.nowAt, found, this.#settings.pace));
    const seenCount = forgetOldSeen(turn, source, result);
    if (source.readAt !== undefined) AGE.observe((turn.nowAt - source.readAt) / 1_000);
    const next: SourceRow = {
      ...source,
      title: result.title ?? source.title,
      state: "active",
      problem: null,
      validators: result.validators,
      polls: source.polls + 1,
      readAt: turn.nowAt,
      seenCount,
      failures: 0,
      strain,
      isSaidDead: false,
      hub,
      ...(result.movedTo === undefined ? {} : { movedTo: result.movedTo }),
      job: null,
      waiting: [],
    };
    this.#sayIfChanged(turn, source, next);
    return next;
  }

  /** Has the hub asked when that is due; what is known of it then. */
  #askHub(turn: Turn, hub: HubRow | null): HubRow | null {
    if (hub === null || hub.askAt > turn.nowAt) return hub;
    const { url, topic } = hub;
    const { silo } = this.#settings;
    turn.jobs.push({
      job: randomUUID(),
      source: turn.avatar,
      silo,
      hub: { url, topic },
      leaseSeconds: LEASE_SECONDS,
    });
    return asked(hub, turn.nowAt);
  }

  /** Its host is asked by many: it is no failure, and what waits for the first fetch waits on. */
  #postpone(turn: Turn, source: SourceRow, { againInMs }: PollResult): void {
    turn.setAlarm(turn.nowAt + Math.min(LONGEST_MS, againInMs ?? 0));
    turn.put(SOURCE, { ...source, job: null });
  }

  #onFailure(turn: Turn, source: SourceRow, result: PollResult): void {
    const { movedTo, ...atHome } = source;
    const failures = source.failures + 1;
    const isGone = result.failure?.reason === "gone";
    // Where it was moved to it is no more: it may be where it was.
    const isLostOnTheWay = movedTo !== undefined && (isGone || failures % MOVED_FAILURES === 0);
    const isOver = isGone && !isLostOnTheWay;
    const problem = result.failure?.sentence ?? null;
    const wasRead = source.polls > 0 && source.state !== "checking";
    const isDead = wasRead && source.isSaidDead !== true && (isOver || failures === DEAD_AFTER);
    const retryAfterMs = result.failure?.retryAfterMs ?? null;
    turn.setAlarm(isOver ? null : nextAfterFailure(turn.nowAt, failures, retryAfterMs, this.#settings.pace));
    const next: SourceRow = {
      ...(isLostOnTheWay ? atHome : source),
      state: isOver ? "ended" : "failing",
      problem,
      failures,
      job: null,
      waiting: [],
      ...(isDead ? { isSaidDead: true } : {}),
    };
    this.#sayIfChanged(turn, source, next);
    const notice = isOver ? goneNotice : deadNotice;
    this.#tell(turn, next, isDead ? [notice(standingOf(turn, source, result.job), problem)] : []);
  }

  /** Tells those who wait, and on a change of state everyone, how the source is doing. */
  #sayIfChanged(turn: Turn, before: SourceRow, after: SourceRow): void {
    const event = {
      type: "sourceChanged",
      state: after.state,
      title: after.title,
      problem: after.problem,
    } as const;
    if (before.state === after.state && before.title === after.title) turn.tell(before.waiting, event);
    else turn.tell(firstSubscribers(turn), event);
  }
}

function counted(source: SourceRow, change: Change): Pick<SourceRow, "subscribers" | "wantEdits"> {
  return {
    subscribers: source.subscribers + change.subscribers,
    wantEdits: (source.wantEdits ?? 0) + change.wantEdits,
  };
}

/** The answer to web-api, for a hub or for a page; null when it is another call. A hub's lease counts when it is durable. */
function onServiceCall(turn: Turn, source: SourceRow | undefined, { name, args }: IncomingCall): unknown {
  const before = source?.hub ?? null;
  if (name === "pollStanding") return pollStanding(turn, source);
  if (name === "hubTopic") return { url: source === undefined || before === null ? null : source.url };
  if (name !== "hubIntent") return null;
  const { agreed, hub } = answerHub(before, argsOf(name, args), turn.nowAt);
  if (source !== undefined && hub !== before) turn.put(SOURCE, { ...source, hub });
  return { agreed };
}

function pollStanding(turn: Turn, source: SourceRow | undefined): PollStanding {
  if (source === undefined)
    return { knows: false, nextAt: null, newestAt: null, failures: 0, isPushed: false };
  // While a job is out the alarm is for when it counts as lost.
  const nextAt = source.job === null && source.state !== "ended" ? turn.alarmAt : null;
  const isPushed = sends(source.hub ?? null, turn.nowAt);
  return { knows: true, nextAt, newestAt: source.newestAt ?? null, failures: source.failures, isPushed };
}

function standingOf({ avatar }: Turn, { title, url }: SourceRow, occasion: string): Standing {
  return { source: avatar, title, url, occasion };
}

/** How long the result was on its way: by the own clock where the job is known, else since the ingestor's fetch. */
function tookMs(turn: Turn, { job }: SourceRow, result: PollResult): number {
  return turn.nowAt - (job?.id === result.job ? job.since : result.fetchedAt);
}
