/**
 * What users answer, on its way to whoever published: an HTTP request for each, signed, tried until the publisher has it.
 *
 *     answered ──▶ out (a job is on the queue) ──delivered──▶ told to the user
 *                   ▲  │──refused for good, or a day has passed──▶ told to the user, with the reason
 *                   └──┴──refused for now, or no word of the job──▶ later, and later
 */
import { randomUUID } from "node:crypto";
import { type Answer, type CallbackResult, type PublishedItem, signedHeaders } from "@tidings/protocol";
import { backOffMs } from "@tidings/runtime";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import { type Due, plan, unplan } from "./agenda.ts";
import { ANSWER, CALLBACK, type PublisherRow } from "./rows.ts";

/** For how long answers are taken when the publisher has not said, and how long one is tried (milliseconds). */
const TAKEN_MS = 30 * 24 * 3_600_000;
const TRIED_MS = 24 * 3_600_000;
/** A job of which nothing was heard in this time is lost. */
const JOB_LOST_MS = 90_000;
const AGAIN = { firstMs: 5_000, maxMs: 3_600_000 };
const FORGET = "forget";
const SEND = "send";

interface AnswerRow {
  readonly answer: Answer;
  readonly user: string;
  readonly url: string;
  readonly tries: number;
  /** When it is looked at again. */
  readonly dueAt: number;
  /** Whether a job is out. */
  readonly isOut: boolean;
}

export class Answers {
  readonly #silo: string;

  constructor(silo: string) {
    this.#silo = silo;
  }

  /** Where answers to what was published go. */
  expect(turn: Turn, { item, callback }: PublishedItem): void {
    if (callback === null) return;
    turn.putText(CALLBACK + item.id, callback);
    plan(turn, item.answerUntilAt ?? turn.nowAt + TAKEN_MS, FORGET, item.id);
  }

  /** A user has answered. */
  take(turn: Turn, user: string, answer: Answer, source: PublisherRow | undefined): void {
    const url = turn.text(CALLBACK + answer.notification);
    if (source === undefined || url === undefined)
      settle(turn, user, answer, "Nobody waits for an answer to this any more.");
    else if (turn.text(ANSWER + answer.id) === undefined)
      this.#send(turn, { answer, user, url, tries: 0, dueAt: turn.nowAt, isOut: false }, source);
  }

  onResult(turn: Turn, { answer: id, outcome, sentence, retryAfterMs }: CallbackResult): void {
    const row = turn.get<AnswerRow>(ANSWER + id);
    if (row === undefined) return;
    unplan(turn, row.dueAt, SEND, id);
    const isOver = turn.nowAt - row.answer.at >= TRIED_MS;
    if (outcome === "again" && !isOver) {
      const waitMs = Math.max(backOffMs(row.tries, AGAIN, Math.random()), retryAfterMs ?? 0);
      const dueAt = turn.nowAt + Math.min(waitMs, AGAIN.maxMs);
      this.#keep(turn, { ...row, dueAt, isOut: false });
      return;
    }
    turn.delete(ANSWER + id);
    settle(turn, row.user, row.answer, outcome === "delivered" ? null : sentence);
  }

  /** What of the agenda is about answers. */
  onDue(turn: Turn, due: readonly Due[], source: PublisherRow | undefined): void {
    for (const { what, id } of due) {
      if (what === FORGET) turn.delete(CALLBACK + id);
      const row = what === SEND ? turn.get<AnswerRow>(ANSWER + id) : undefined;
      if (row !== undefined && source !== undefined) this.#send(turn, row, source);
    }
  }

  /** Jobs that were out may never have reached the queue. */
  sayAgain(turn: Turn, source: PublisherRow | undefined): void {
    if (source === undefined) return;
    for (const { value } of turn.list(withPrefix(ANSWER))) {
      const row = JSON.parse(value) as AnswerRow;
      if (!row.isOut) continue;
      unplan(turn, row.dueAt, SEND, row.answer.id);
      this.#send(turn, row, source);
    }
  }

  #send(turn: Turn, row: AnswerRow, { secret }: PublisherRow): void {
    const { answer, url, user } = row;
    const { id, notification, option, text, at } = answer;
    const data = { notification, option, text, user };
    const body = JSON.stringify({ type: "answer", timestamp: new Date(at).toISOString(), data });
    turn.jobs.push({
      job: randomUUID(),
      source: turn.avatar,
      silo: this.#silo,
      answer: id,
      url,
      headers: signedHeaders(secret, id, turn.nowAt, body),
      body,
    });
    this.#keep(turn, { ...row, tries: row.tries + 1, dueAt: turn.nowAt + JOB_LOST_MS, isOut: true });
  }

  #keep(turn: Turn, row: AnswerRow): void {
    turn.put(ANSWER + row.answer.id, row);
    plan(turn, row.dueAt, SEND, row.answer.id);
  }
}

function settle(turn: Turn, user: string, { id, notification }: Answer, problem: string | null): void {
  turn.tell([user], { type: "answerSettled", answer: id, notification, problem });
}
