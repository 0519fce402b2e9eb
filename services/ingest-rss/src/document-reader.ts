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
  /** Longest time for a thread to load the parsers, which no reading is charged with (milliseconds). */
  readonly startMs: number;
  /** Largest heap of one thread, and what of it is for the young (MB): a document is many short-lived strings. */
  readonly heapMb: number;
  readonly youngMb: number;
}

export const READER_LIMITS: ReaderLimits = {
  threads: 2,
  readMs: 4_000,
  startMs: 60_000,
  heapMb: 256,
  youngMb: 24,
};

/** The reader was closed before the document was read. */
export class ReaderClosedError extends Error {
  override readonly name = "ReaderClosedError";

  constructor() {
    super("the document reader is closed");
  }
}

/** No thread was ready to read in time: the machine is busy, and the document may be read later. */
export class ReaderBusyError extends Error {
  override readonly name = "ReaderBusyError";
}

/** What goes to a reading thread; it answers with a {@link ReadingAnswer}. */
export interface ReadingTask {
  /** Named by the answer: what a thread says late is no answer to what it is asked next. */
  readonly number: number;
  readonly document: FetchedDocument;
  readonly isCareful: boolean;
}

export interface ReadingAnswer {
  readonly number: number;
  readonly reading: Reading;
}

/** What a thread says when it has loaded the parsers. */
export const READY: ReadingAnswer["number"] = 0;

export class DocumentReader {
  readonly #limits: ReaderLimits;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #waiting: ((error: Error | null) => void)[] = [];
  #reading = 0;
  #tasks = READY;
  #isClosed = false;

  constructor(limits: ReaderLimits = READER_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Reads `document`; what cannot be read in time is `broken`. Rejects only with {@link ReaderClosedError}, and with
   * {@link ReaderBusyError} when it could not be tried.
   */
  async read(document: FetchedDocument): Promise<Reading> {
    await this.#turn();
    try {
      const first = await this.#readInThread(document, false);
      return first ?? (await this.#readInThread(document, true)) ?? { kind: "broken" };
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
  async #readInThread(document: FetchedDocument, isCareful: boolean): Promise<Reading | null> {
    const thread = this.#idle.pop() ?? (await this.#newThread());
    if (this.#isClosed) throw new ReaderClosedError();
    const task: ReadingTask = { number: ++this.#tasks, document, isCareful };
    const answer = await answerOf(thread, task.number, this.#limits.readMs, () => thread.postMessage(task));
    if (this.#isClosed) throw new ReaderClosedError();
    if (answer === null) await this.#end(thread);
    else this.#idle.push(thread);
    return answer?.reading ?? null;
  }

  /** Starts a thread; it says hello when the parsers are loaded. */
  async #newThread(): Promise<Worker> {
    const { heapMb, youngMb, startMs } = this.#limits;
    const thread = new Worker(new URL("./reading-thread.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: youngMb },
    });
    this.#all.add(thread);
    // What kills a thread is seen by whoever waits for it; without a listener it would end the process.
    thread.on("error", () => undefined);
    const hello = await answerOf(thread, READY, startMs, () => undefined);
    if (this.#isClosed) throw new ReaderClosedError();
    if (hello !== null) return thread;
    await this.#end(thread);
    throw new ReaderBusyError(`no thread was ready to read within ${startMs} ms`);
  }

  async #end(thread: Worker): Promise<void> {
    this.#all.delete(thread);
    await thread.terminate();
  }
}

/** What `thread` says to task `number` after `ask`; null when it says nothing within `timeoutMs`, or ends. */
async function answerOf(
  thread: Worker,
  number: number,
  timeoutMs: number,
  ask: () => void,
): Promise<ReadingAnswer | null> {
  const { promise, resolve } = Promise.withResolvers<ReadingAnswer | null>();
  const fail = () => resolve(null);
  const hear = (answer: ReadingAnswer) => {
    if (answer.number === number) resolve(answer);
  };
  const timer = setTimeout(fail, timeoutMs);
  thread.on("message", hear).once("error", fail).once("exit", fail);
  ask();
  const answer = await promise;
  clearTimeout(timer);
  thread.off("message", hear).off("error", fail).off("exit", fail);
  return answer;
}
