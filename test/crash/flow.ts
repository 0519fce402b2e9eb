/** One way of one proxied connection: reads from one socket, writes to the other, in order, as slowly as it is told to. */
import type { Socket } from "node:net";

export interface Condition {
  readonly isStalled: boolean;
  readonly isSwallowed: boolean;
  readonly delayMs: number;
  readonly bytesPerSecond: number;
}

const GOOD: Condition = {
  isStalled: false,
  isSwallowed: false,
  delayMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
};
/** Most bytes kept for a delay; above it nothing more is read. */
const MOST_KEPT_BYTES = 1024 * 1024;

interface Kept {
  readonly chunk: Buffer;
  readonly dueAtMs: number;
}

export class Flow {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #seen: (chunk: Buffer) => void;
  #condition: Condition = GOOD;
  #kept: Kept[] = [];
  #keptBytes = 0;
  #timer: NodeJS.Timeout | null = null;
  #isSinkFull = false;
  #hasEnded = false;

  /** Passes on what comes from `source` to `sink`; `seen` hears of what was written to the sink. */
  constructor(source: Socket, sink: Socket, seen: (chunk: Buffer) => void) {
    this.#source = source;
    this.#sink = sink;
    this.#seen = seen;
    source.on("data", (chunk: Buffer) => this.#take(chunk));
    source.on("end", () => {
      this.#hasEnded = true;
      this.#drain();
    });
    source.on("close", () => this.#stopTimer());
    sink.on("drain", () => {
      this.#isSinkFull = false;
      this.#drain();
    });
  }

  adjust(condition: Condition): void {
    this.#condition = condition;
    this.#drain();
  }

  #take(chunk: Buffer): void {
    if (this.#condition.isSwallowed) return;
    const { delayMs, bytesPerSecond } = this.#condition;
    const nowMs = performance.now();
    const behindMs = Math.max(nowMs + delayMs, this.#kept.at(-1)?.dueAtMs ?? 0);
    this.#kept.push({ chunk, dueAtMs: behindMs + (chunk.length / bytesPerSecond) * 1_000 });
    this.#keptBytes += chunk.length;
    this.#drain();
  }

  /** Writes what is due, then reads on or waits. */
  #drain(): void {
    this.#stopTimer();
    const { isStalled, isSwallowed, delayMs, bytesPerSecond } = this.#condition;
    const isSlow = delayMs > 0 || Number.isFinite(bytesPerSecond);
    if (isSwallowed) this.#forget();
    while (!isStalled && !this.#isSinkFull) {
      const first = this.#kept[0];
      if (first === undefined) break;
      const waitMs = isSlow ? first.dueAtMs - performance.now() : 0;
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#drain(), waitMs);
        break;
      }
      this.#kept.shift();
      this.#keptBytes -= first.chunk.length;
      this.#isSinkFull = !this.#sink.write(first.chunk);
      this.#seen(first.chunk);
    }
    if (this.#hasEnded && this.#kept.length === 0 && !isSwallowed && !isStalled) this.#sink.end();
    const mayRead = !isStalled && !this.#isSinkFull && this.#keptBytes < MOST_KEPT_BYTES;
    if (mayRead) this.#source.resume();
    else this.#source.pause();
  }

  #forget(): void {
    this.#kept = [];
    this.#keptBytes = 0;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
