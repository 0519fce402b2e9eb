/** A program that posts to somebody all the time, and how long each of its messages took to be in their chat. */
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@tidings/testkit";
import type { Violation } from "./invariants.ts";
import type { Stage } from "./stage.ts";
import type { Subscriber } from "./subscriber.ts";

/** From the POST to the client (milliseconds). */
const LATE_MS = 2_000;

export class Program {
  readonly #stage: Stage;
  readonly #reader: Subscriber;
  readonly #url: string;
  /** When each message was posted (epoch milliseconds), by its title. */
  readonly #posted = new Map<string, number>();

  private constructor(stage: Stage, reader: Subscriber, url: string) {
    [this.#stage, this.#reader, this.#url] = [stage, reader, url];
  }

  /** Resolves when its reader is there. */
  static async open(stage: Stage): Promise<Program> {
    const dora = await stage.person("dora");
    const { url } = await dora.publisher("program");
    await dora.client.comesOnline();
    await dora.isSeen();
    return new Program(stage, dora, url);
  }

  /** Posts every `everyMs` until `over`; resolves when everything is taken. */
  async posts(everyMs: number, over: AbortSignal): Promise<void> {
    const under: Promise<void>[] = [];
    for (let number = 1; !over.aborted; number++) {
      const title = `message ${number}`;
      this.#posted.set(title, Date.now());
      under.push(this.#post(title));
      await pause(everyMs);
    }
    await Promise.all(under);
  }

  /** I1: everything is heard, and nothing later than two seconds after it was posted. Rejects when something is not heard. */
  async lateness(): Promise<Violation[]> {
    const { client } = this.#reader;
    const heard = () => new Map(client.heard.toReversed().map(({ title, at }) => [title, at]));
    await eventually(
      () => {
        const missing = [...this.#posted.keys()].filter((title) => !heard().has(title));
        if (missing.length > 0)
          throw new Error(`${missing.length} messages were not heard, such as ${missing[0]}`);
      },
      { withinMs: 60_000 },
    );
    const times = heard();
    const waits = [...this.#posted].map(([title, at]) => ({ title, ms: (times.get(title) ?? 0) - at }));
    const worst = waits.reduce((a, b) => (b.ms > a.ms ? b : a));
    const late = waits.filter(({ ms }) => ms > LATE_MS);
    this.#stage.tell(
      `the latest of ${waits.length} messages came after ${worst.ms} ms: ${await this.#storyOf(worst.title)}`,
    );
    const what = `${late.length} of ${waits.length} messages came later than ${LATE_MS} ms; "${worst.title}" after ${worst.ms} ms`;
    return late.length === 0 ? [] : [{ invariant: "I1", what }];
  }

  /** An answer that does not come, or says that it is not now, is asked for again with the same key: it is one message. */
  async #post(title: string): Promise<void> {
    await eventually(async () => {
      const headers = { "idempotency-key": title };
      const answer = await fetch(this.#url, { method: "POST", body: title, headers });
      if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
    });
  }

  async #storyOf(title: string): Promise<string> {
    const id = this.#reader.client.heard.find((message) => message.title === title)?.id ?? "";
    const postedAt = this.#posted.get(title) ?? 0;
    const trace = await this.#reader.trace(id);
    return trace.map(({ at, what }) => `${Date.parse(at) - postedAt} ms ${what}`).join("; ");
  }
}
