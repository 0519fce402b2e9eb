/**
 * A source avatar for a feed: its subscribers, its poll schedule and validators, and the order of its notifications.
 *
 *     checking ──first fetch: baseline──▶ active ──failure──▶ failing ──success──▶ active
 *         └──failure──▶ failing                └── no subscribers: it sleeps, and begins again with a new baseline
 */
import { randomUUID } from "node:crypto";
import {
  type AvatarEvent,
  CallError,
  type Notification,
  type PollResult,
  type Report,
  shardOf,
} from "@tidings/protocol";
import type { Avatar, IncomingCall } from "../shard/avatar.ts";
import type { Turn } from "../shard/turn.ts";
import { fanOut } from "./fan-out.ts";
import {
  jobLostAt,
  MOST_STRAIN,
  nextAfterFailure,
  nextAfterSuccess,
  type PollPace,
  strainAfter,
} from "./poll-schedule.ts";
import { newSource, SEEN, SOURCE, type SourceRow, SUBSCRIBER } from "./rows.ts";
import { forgetOldSeen, isNew } from "./seen.ts";

export interface SourceSettings {
  readonly pace: PollPace;
  readonly silo: string;
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
    if (event.type === "subscribed") this.#subscribe(turn, from, event.url);
    if (event.type === "unsubscribed") this.#unsubscribe(turn, from);
  }

  onPollResult(turn: Turn, result: PollResult): void {
    const source = turn.get<SourceRow>(SOURCE);
    if (source === undefined || source.subscribers === 0) return;
    if (result.outcome === "failed") this.#onFailure(turn, source, result);
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

  onCall(_turn: Turn, call: IncomingCall): void {
    throw new CallError("cancel", "item-not-found", `A source takes no call ${call.name}.`);
  }

  #subscribe(turn: Turn, user: string, url: string): void {
    const source = turn.get<SourceRow>(SOURCE) ?? newSource(url);
    const key = subscriberKey(user);
    const isNewSubscriber = turn.text(key) === undefined;
    if (isNewSubscriber) turn.putText(key, String(source.seq));
    const subscribers = source.subscribers + (isNewSubscriber ? 1 : 0);
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
    const next = { ...source, subscribers, waiting };
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
    const key = subscriberKey(user);
    if (source === undefined || turn.text(key) === undefined) return;
    turn.delete(key);
    const subscribers = source.subscribers - 1;
    if (subscribers > 0) {
      turn.put(SOURCE, { ...source, subscribers });
      return;
    }
    const { url, title, seq, polls } = source;
    turn.put(SOURCE, { ...newSource(url), title, seq, polls, seenCount: source.seenCount });
    turn.setAlarm(null);
  }

  /** Puts a poll job on the queue when the commit is durable; if nothing comes of it, the alarm does so again. */
  #poll(turn: Turn, source: SourceRow, id: string = randomUUID()): SourceRow {
    const validators = source.state === "checking" ? { etag: null, lastModified: null } : source.validators;
    turn.jobs.push({ job: id, source: turn.avatar, silo: this.#settings.silo, url: source.url, validators });
    turn.setAlarm(jobLostAt(turn.nowAt, source.strain ?? 0));
    return { ...source, job: { id, since: turn.nowAt } };
  }

  #onItems(turn: Turn, source: SourceRow, result: PollResult): void {
    const isBaseline = source.state === "checking" || source.polls === 0;
    const fresh = result.items.filter(({ id }) => {
      const isFresh = isNew(turn, id);
      if (isFresh) turn.putText(SEEN + id, String(source.polls));
      return isFresh;
    });
    const told: Notification[] = isBaseline
      ? []
      : fresh.map((item, at) => ({
          ...item,
          source: turn.avatar,
          seq: source.seq + 1 + at,
          receivedAt: turn.nowAt,
        }));
    const stored = { ...source, seq: source.seq + told.length, seenCount: source.seenCount + fresh.length };
    const isLast = result.part === result.parts;
    turn.put(SOURCE, isLast ? this.#finishPoll(turn, stored, result) : stored);
    if (told.length > 0) this.#hasLeft = fanOut(turn, told, this.#hasLeft);
  }

  #onUnchanged(turn: Turn, source: SourceRow, result: PollResult): void {
    turn.put(SOURCE, this.#finishPoll(turn, source, result));
  }

  /** The document is stored whole: now its validators count, and the next poll is set. */
  #finishPoll(turn: Turn, source: SourceRow, result: PollResult): SourceRow {
    const strain = strainAfter(source.strain ?? 0, tookMs(turn, source, result));
    turn.setAlarm(nextAfterSuccess(turn.nowAt, this.#settings.pace, strain));
    const seenCount = forgetOldSeen(turn, source, result);
    const next: SourceRow = {
      ...source,
      title: result.title ?? source.title,
      state: "active",
      problem: null,
      validators: result.validators,
      polls: source.polls + 1,
      seenCount,
      failures: 0,
      strain,
      job: null,
      waiting: [],
    };
    this.#sayIfChanged(turn, source, next);
    return next;
  }

  #onFailure(turn: Turn, source: SourceRow, result: PollResult): void {
    const failures = source.failures + 1;
    const retryAfterMs = result.failure?.retryAfterMs ?? null;
    turn.setAlarm(nextAfterFailure(turn.nowAt, failures, retryAfterMs, this.#settings.pace));
    const state =
      source.polls === 0 || source.state === "checking"
        ? "failing"
        : source.state === "ended"
          ? "ended"
          : "failing";
    const next: SourceRow = {
      ...source,
      state,
      problem: result.failure?.sentence ?? null,
      failures,
      job: null,
      waiting: [],
    };
    this.#sayIfChanged(turn, source, next);
    turn.put(SOURCE, next);
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
    else turn.tell(subscribersOf(turn), event);
  }
}

/** How long the result was on its way: by the own clock where the job is known, else since the ingestor's fetch. */
function tookMs(turn: Turn, { job }: SourceRow, result: PollResult): number {
  return turn.nowAt - (job?.id === result.job ? job.since : result.fetchedAt);
}

/** The first of the subscribers; a change of state is for the list on the page, not worth a page-wise fan-out. */
function subscribersOf(turn: Turn): string[] {
  const rows = turn.list({ from: SUBSCRIBER, to: `${SUBSCRIBER}\uffff`, limit: 5_000 });
  return rows.map(({ key }) => key.slice(key.lastIndexOf("/") + 1));
}

function subscriberKey(user: string): string {
  return `${SUBSCRIBER}${String(shardOf(user)).padStart(2, "0")}/${user}`;
}
