import type { SourceState, Validators } from "@tidings/protocol";
import type { HubRow } from "./hub-lease.ts";

/** The source itself, row `source`. */
export interface SourceRow {
  readonly url: string;
  readonly title: string | null;
  readonly state: SourceState;
  /** Why it fails, a sentence for people; null when it does not. */
  readonly problem: string | null;
  readonly validators: Validators;
  /** Sequence number of the last notification. */
  readonly seq: number;
  /** Counts the polls whose last part was stored; `seen` rows carry it. */
  readonly polls: number;
  readonly seenCount: number;
  readonly subscribers: number;
  /** How many of them want to hear of edits. */
  readonly wantEdits?: number;
  readonly failures: number;
  /** Where it is asked, when its server has moved it for good; absent: at `url`. */
  readonly movedTo?: string;
  /** What is known of its hub; null or absent: it names none. */
  readonly hub?: HubRow | null;
  /** When something new came last, or the baseline did (epoch milliseconds). */
  readonly newestAt?: number;
  /** When it was read last (epoch milliseconds); absent in rows of an earlier release. */
  readonly readAt?: number;
  /** Its subscribers were told that it cannot be read. */
  readonly isSaidDead?: boolean;
  /** How many results in a row came late or not at all; absent in rows of an earlier release. */
  readonly strain?: number;
  /** The poll that is on the queue or at an ingestor, or null. */
  readonly job: { readonly id: string; readonly since: number } | null;
  /** Subscribers that wait to hear that the first fetch has set the baseline. */
  readonly waiting: readonly string[];
}

export const SOURCE = "source";
/** `seen/<item id>` → number of the poll that brought it first, and what it said (edits.ts). */
export const SEEN = "seen/";
/** What the last documents held, by title and link; see renamed.ts. */
export const PRINTS = "prints";
/** `sub/<shard>/<user>` → sequence number of the source when the user came, later ones are told, and whether edits are. In shard order. */
export const SUBSCRIBER = "sub/";
/** `fan/<seq>` → a notification that has not been told to all subscribers yet, and how far it is. */
export const FAN_OUT = "fan/";

/** `due/<time>/<what>/<id>`: what a publisher's source has to do then. */
export const DUE = "due/";
/** `callback/<item id>` → where answers to it go. */
export const CALLBACK = "callback/";
/** `answer/<answer id>` → an answer that its publisher has not got yet. */
export const ANSWER = "answer/";

/** The source of a publisher, row `source`. */
export interface PublisherRow {
  readonly owner: string;
  readonly title: string;
  /** What answers are signed with. */
  readonly secret: string;
  readonly state: "active" | "ended";
  /** With which others can subscribe; absent: nobody can. */
  readonly share?: string | null;
  /** Sequence number of the last notification. */
  readonly seq: number;
  /** Rows in `seen/`, and how many there were when old ones were last forgotten. */
  readonly seenCount: number;
  readonly seenAtSweep: number;
}

/** A source that nobody has heard of before. */
export function newSource(url: string): SourceRow {
  return {
    url,
    title: null,
    state: "checking",
    problem: null,
    validators: { etag: null, lastModified: null },
    seq: 0,
    polls: 0,
    seenCount: 0,
    subscribers: 0,
    failures: 0,
    job: null,
    waiting: [],
  };
}
