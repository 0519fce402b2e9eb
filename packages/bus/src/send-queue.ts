/**
 * What waits to be written, and the bound on it.
 *
 *     send ──room──▶ batch ──end of the tick──▶ socket ──▶ server
 *       └──no room, or no connection──▶ waiting ──drain, or online──▶ batch
 *
 * All that is sent in one tick is written at once. In flight (batch + what the socket still holds) is bounded; past the
 * bound senders wait, so a peer that stops reading stops them. What was in the batch when a connection broke goes out on
 * the next one; what was in the socket is lost.
 */
import type { Socket } from "node:net";
import { BusStoppedError } from "./errors.ts";

interface Waiting {
  readonly text: string;
  readonly isWanted: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

const SENT = Promise.resolve();
const ALWAYS = () => true;

export class SendQueue {
  readonly #maxInFlight: number;
  #socket: Socket | null = null;
  #batch: string[] = [];
  #batchLength = 0;
  #flushIsDue = false;
  #waiting: Waiting[] = [];
  #isStopped = false;

  /** `maxInFlight` in UTF-16 units of text, which for markup is about its bytes. */
  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
  }

  /** Queues `text`; skipped when it has waited and `isWanted` says no by then. Rejects with BusStoppedError. */
  send(text: string, isWanted: () => boolean = ALWAYS): Promise<void> {
    if (this.#isStopped) return Promise.reject(new BusStoppedError());
    if (this.#waiting.length === 0 && this.#hasRoom()) {
      this.#add(text);
      return SENT;
    }
    return new Promise((resolve, reject) => this.#waiting.push({ text, isWanted, resolve, reject }));
  }

  /** The connection is up: what waits goes out on `socket`. */
  attach(socket: Socket): void {
    this.#socket = socket;
    socket.on("drain", () => this.#pump());
    this.#dueFlush();
    this.#pump();
  }

  /** The connection is down: senders wait. */
  detach(): void {
    this.#socket = null;
  }

  /** Writes what is in the batch, refuses what waits and all that comes later. */
  stop(): void {
    this.#flush();
    this.#isStopped = true;
    for (const { reject } of this.#waiting.splice(0)) reject(new BusStoppedError());
  }

  #hasRoom(): boolean {
    return this.#socket !== null && this.#batchLength + this.#socket.writableLength < this.#maxInFlight;
  }

  #add(text: string): void {
    this.#batch.push(text);
    this.#batchLength += text.length;
    this.#dueFlush();
  }

  #dueFlush(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): void {
    this.#flushIsDue = false;
    if (this.#socket === null || this.#batch.length === 0) return;
    const text = this.#batch.join("");
    this.#batch = [];
    this.#batchLength = 0;
    this.#socket.write(text);
    this.#pump();
  }

  /** Moves senders that wait into the batch while there is room. */
  #pump(): void {
    let moved = 0;
    for (; moved < this.#waiting.length && this.#hasRoom(); moved++) {
      const { text, isWanted, resolve } = this.#waiting[moved] as Waiting;
      if (isWanted()) this.#add(text);
      resolve();
    }
    if (moved > 0) this.#waiting.splice(0, moved);
  }
}
