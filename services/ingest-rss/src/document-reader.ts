/**
 * Reads documents in threads of their own: parsing a large or hostile document takes long, and meanwhile the heartbeats of
 * RabbitMQ, look-ups and other feeds must go on.
 *
 *     waiting ──thread free──▶ reading ──▶ done
 *                                 └──too long, or the thread died──▶ read again carefully ──too long──▶ broken
 *
 * A thread that took too long is ended and replaced. As many documents wait as there are jobs and look-ups in work.
 */
import { Worker } from "node:worker_threads";
import type { FetchedDocument, Reading } from "./read-document.ts";

export interface ReaderLimits {
  readonly threads: number;
  /** Longest time for one reading (milliseconds). */
  readonly readMs: number;
  /** Largest heap of one thread, and what of it is for the young (MB): a document is many short-lived strings. */
  readonly heapMb: number;
  readonly youngMb: number;
}

export const READER_LIMITS: ReaderLimits = { threads: 2, readMs: 4_000, heapMb: 256, youngMb: 24 };

/** A thread loads the parsers when it starts, which its first reading must not be charged with (milliseconds). */
const START_MS = 10_000;

/** The reader was closed before the document was read. */
export class ReaderClosedError extends Error {
  override readonly name = "ReaderClosedError";

  constructor() {
    super("the document reader is closed");
  }
}

/** What goes to a reading thread; it answers with a {@link Reading}. */
export interface ReadingTask {
  readonly document: FetchedDocument;
  readonly isCareful: boolean;
}

export class DocumentReader {
  readonly #limits: ReaderLimits;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: ((error: Error | null) => void)[] = [];
  #reading = 0;
  #isClosed = false;

  constructor(limits: ReaderLimits = READER_LIMITS) {
    this.#limits = limits;
  }

  /** Reads `document`. Rejects only with {@link ReaderClosedError}; what cannot be read in time is `broken`. */
  async read(document: FetchedDocument): Promise<Reading> {
    await this.#turn();
    try {
      const first = await this.#readInThread({ document, isCareful: false });
      return first ?? (await this.#readInThread({ document, isCareful: true })) ?? { kind: "broken" };
    } finally {
      this.#reading -= 1;
      this.#waiting.shift()?.(null);
    }
  }

  /** Ends all threads; what was being read or waited rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const proceed of this.#waiting.splice(0)) proceed(new ReaderClosedError());
    await Promise.all([...this.#all].map((thread) => thread.terminate()));
  }

  /** Waits until a thread may be used, in the order of asking. */
  async #turn(): Promise<void> {
    if (this.#isClosed) throw new ReaderClosedError();
    if (this.#reading >= this.#limits.threads) {
      await new Promise<void>((resolve, reject) => {
        this.#waiting.push((error) => (error === null ? resolve() : reject(error)));
      });
    }
    this.#reading += 1;
  }

  /** The reading, or null when it took too long or the thread died of it. */
  async #readInThread(task: ReadingTask): Promise<Reading | null> {
    const thread = this.#idle.pop() ?? (await this.#newThread());
    if (this.#isClosed) throw new ReaderClosedError();
    const reading = await answerOf(thread, this.#limits.readMs, () => thread.postMessage(task));
    if (this.#isClosed) throw new ReaderClosedError();
    if (reading === null) await this.#end(thread);
    else this.#idle.push(thread);
    return reading as Reading | null;
  }

  /** Starts a thread; it says hello when the parsers are loaded. */
  async #newThread(): Promise<Worker> {
    const thread = new Worker(new URL("./reading-thread.ts", import.meta.url), {
      resourceLimits: {
        maxOldGenerationSizeMb: this.#limits.heapMb,
        maxYoungGenerationSizeMb: this.#limits.youngMb,
      },
    });
    this.#all.add(thread);
    // What kills a thread is seen by whoever waits for it; without a listener it would end the process.
    thread.on("error", () => undefined);
    await answerOf(thread, START_MS, () => undefined);
    return thread;
  }

  async #end(thread: Worker): Promise<void> {
    this.#all.delete(thread);
    await thread.terminate();
  }
}

/** The next message of `thread` after `ask`; null when there is none within `timeoutMs`, or the thread ends. */
async function answerOf(thread: Worker, timeoutMs: number, ask: () => void): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const fail = () => resolve(null);
  const timer = setTimeout(fail, timeoutMs);
  thread.once("message", resolve).once("error", fail).once("exit", fail);
  ask();
  const answer = await promise;
  clearTimeout(timer);
  thread.off("message", resolve).off("error", fail).off("exit", fail);
  return answer;
}
