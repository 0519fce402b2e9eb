/**
 * The queues of poll jobs, of which each is taken from by one ingestor at a time: so one ingestor alone asks a web host, and
 * can be polite for all. RabbitMQ gives a queue to whoever came first, and to the next when that one goes; an ingestor that
 * has more than its share stands at the end of the line again with some of them, so that one that has come later has work.
 */
import { POLL_PARTS, QUEUES } from "@tidings/protocol";
import type { Consumer, Delivery, Queue } from "@tidings/queue";
import { gauge, type Log } from "@tidings/runtime";

const LOOK_EVERY_MS = 5_000;

interface Part {
  consumer: Consumer;
  /** Jobs in work. */
  running: number;
  /** Something has come since it was stood in line for: it is ours. */
  isOurs: boolean;
}

export interface PollPartsOptions {
  readonly queue: Pick<Queue, "consume" | "consumers">;
  /** Jobs of one part that are in hand at a time. */
  readonly prefetch: number;
  /** Works on a job. Never rejects. */
  readonly work: (job: Delivery) => Promise<void>;
  readonly log: Log;
  readonly lookEveryMs?: number;
}

export class PollParts {
  readonly #options: PollPartsOptions;
  readonly #parts: Part[] = [];
  #timer: NodeJS.Timeout | undefined;
  #said = 0;
  #looking: Promise<void> = Promise.resolve();

  private constructor(options: PollPartsOptions) {
    this.#options = options;
  }

  /** Resolves when all parts are stood in line for. */
  static async open(options: PollPartsOptions): Promise<PollParts> {
    const parts = new PollParts(options);
    await Promise.all(Array.from({ length: POLL_PARTS }, (_, part) => parts.#consume(part)));
    gauge("tidings_poll_parts", "Queues of polls that this ingestor is known to have.", () => parts.ours);
    parts.#timer = setInterval(() => {
      parts.#looking = parts.#looking.then(() => parts.#look());
    }, options.lookEveryMs ?? LOOK_EVERY_MS);
    return parts;
  }

  /** How many parts are known to be ours. */
  get ours(): number {
    return this.#parts.filter(({ isOurs }) => isOurs).length;
  }

  /** Takes no more jobs; those in hand go back to the queues. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all(this.#parts.map(({ consumer }) => consumer.cancel()));
  }

  async #consume(number: number): Promise<void> {
    const { queue, prefetch, work } = this.#options;
    const part: Omit<Part, "consumer"> = { running: 0, isOurs: false };
    const consumer = await queue.consume(QUEUES.poll(number), prefetch, (job) => {
      part.isOurs = true;
      part.running++;
      void work(job).finally(() => part.running--);
    });
    this.#parts[number] = Object.assign(part, { consumer });
  }

  /** Stands in line again for what is more than the own share, where nothing is in work. Never rejects. */
  async #look(): Promise<void> {
    try {
      // Each takes look-ups once, and that queue is a classic one, whose consumers RabbitMQ counts.
      const ingestors = Math.max(1, await this.#options.queue.consumers(QUEUES.lookup));
      const excess = this.ours - Math.ceil(POLL_PARTS / ingestors);
      const idle = this.#parts.flatMap(({ isOurs, running }, number) =>
        isOurs && running === 0 ? [number] : [],
      );
      for (const number of idle.slice(0, Math.max(0, excess))) {
        await this.#parts[number]?.consumer.cancel();
        await this.#consume(number);
      }
      if (this.ours !== this.#said) {
        this.#said = this.ours;
        this.#options.log.info({ parts: this.ours, of: POLL_PARTS, ingestors }, "polls are shared");
      }
    } catch (error) {
      this.#options.log.debug({ err: error }, "how many ingestors there are is not known now");
    }
  }
}
