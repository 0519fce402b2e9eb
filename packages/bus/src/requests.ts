import { randomUUID } from "node:crypto";
import { CallError, type Element, readError } from "@tidings/protocol";

interface Pending {
  readonly to: string;
  readonly untilAt: number;
  timer: NodeJS.Timeout;
  readonly resolve: (result: Element) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Requests that wait for their answer. An answer counts only from the address that was asked (RFC 6120 §8.2.3), so that
 * nobody else can answer; ids are not guessable either.
 */
export class Requests {
  readonly #prefix = randomUUID().slice(0, 13);
  readonly #pending = new Map<string, Pending>();
  #count = 0;

  newId(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count.toString(36)}`;
  }

  isPending(id: string): boolean {
    return this.#pending.has(id);
  }

  /** Resolves with the result to request `id`; rejects with its error, or `wait` after `timeoutMs`. */
  answerTo(id: string, to: string, timeoutMs: number): Promise<Element> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#timeOut(id), timeoutMs);
      this.#pending.set(id, { to, untilAt: performance.now() + timeoutMs, timer, resolve, reject });
    });
  }

  /** Takes an IQ of type result or error; one that nobody waits for is dropped. */
  settle(stanza: Element): void {
    const { id = "", from, type } = stanza.attrs as Record<string, string | undefined>;
    const pending = this.#pending.get(id);
    if (pending === undefined || !mayAnswer(pending.to, from)) return;
    this.#remove(id, pending);
    if (type === "error") pending.reject(readError(stanza));
    else pending.resolve(stanza);
  }

  /**
   * The connection was lost and is up again: an answer to what was asked before may still come, as answers find a
   * component by its domain, but no longer than `graceMs` is worth waiting.
   */
  hurry(graceMs: number): void {
    for (const [id, pending] of this.#pending) {
      if (pending.untilAt - performance.now() <= graceMs) continue;
      clearTimeout(pending.timer);
      pending.timer = setTimeout(() => this.#timeOut(id), graceMs);
    }
  }

  /** Ends the wait for `id`, if there still is one. */
  fail(id: string, error: Error): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#remove(id, pending);
    pending.reject(error);
  }

  rejectAll(error: Error): void {
    for (const id of [...this.#pending.keys()]) this.fail(id, error);
  }

  #timeOut(id: string): void {
    const to = this.#pending.get(id)?.to ?? "";
    this.fail(
      id,
      new CallError("wait", "remote-server-timeout", `${to || "The server"} did not answer in time.`),
    );
  }

  #remove(id: string, pending: Pending): void {
    clearTimeout(pending.timer);
    this.#pending.delete(id);
  }
}

/** Whether `from` was asked. Without `to`, a client's own server answers, with any of its three names (RFC 6120 §8.1.2.1). */
function mayAnswer(to: string, from: string | undefined): boolean {
  return to === "" || from?.toLowerCase() === to.toLowerCase();
}
