/** Asks users' servers, so that it is known what they have taken, and when one of them was started again. */
import type { Bus } from "@tidings/bus";
import { CallError, type Element, xml } from "@tidings/protocol";
import { type Answer, Handover, isProof } from "./handover.ts";
import { NS } from "./namespaces.ts";
import { ServerLives } from "./server-lives.ts";

const ANSWER_WITHIN_MS = 10_000;
/** Between two looks at a server of which nothing is unproven (milliseconds). */
const LOOK_EVERY_MS = 1_000;

export interface ProofOptions {
  readonly bus: Bus;
  /** The agent's own domain: who asks. */
  readonly from: string;
  /** The server has taken the message `key`. */
  readonly onTaken: (key: string) => void;
  /** Nobody knows what became of it; `condition` (RFC 6120 §8.3.3) says why. */
  readonly onLost: (key: string, condition: string) => void;
  /** The server of `domain` lives since `sinceMs` (own monotonic clock, milliseconds): what it had before is gone. */
  readonly onNewLife: (domain: string, sinceMs: number) => void;
}

export class Proof {
  readonly #options: ProofOptions;
  readonly #handover = new Handover();
  readonly #lives = new ServerLives();
  #looked = { domain: "", atMs: Number.NEGATIVE_INFINITY };

  constructor(options: ProofOptions) {
    this.#options = options;
  }

  /** The message `key` goes to `domain`. */
  sent(domain: string, key: string): void {
    this.#handover.sent(domain, key, performance.now());
  }

  /** The message `key` came back. */
  bounced(domain: string, key: string): void {
    this.#handover.bounced(domain, key);
  }

  /** Asks `domain` until nothing sent there is unproven. */
  async begin(domain: string): Promise<void> {
    while (this.#handover.beginAsking(domain)) await this.#carryOut(domain);
  }

  /** Asks `domain` whether it has been started again; not more often than once a second. */
  async look(domain: string): Promise<void> {
    const nowMs = performance.now();
    if (this.#looked.domain === domain && nowMs - this.#looked.atMs < LOOK_EVERY_MS) return;
    this.#looked = { domain, atMs: nowMs };
    if (this.#handover.beginAsking(domain, true)) await this.#carryOut(domain);
    await this.begin(domain);
  }

  async #carryOut(domain: string): Promise<void> {
    const { onTaken, onLost, onNewLife } = this.#options;
    const answer = await this.#ask(domain);
    const { taken, lost } = this.#handover.endAsking(domain, answer);
    for (const key of lost) onLost(key, answer.failure ?? "remote-server-timeout");
    for (const key of taken) onTaken(key);
    if (answer.livesSinceMs !== null) onNewLife(domain, answer.livesSinceMs);
  }

  async #ask(domain: string): Promise<Answer> {
    const { bus, from } = this.#options;
    const query = xml("iq", { type: "get", from, to: domain }, xml("query", { xmlns: NS.last }));
    const askedMs = performance.now();
    try {
      const seconds = secondsIn(await bus.request(query, ANSWER_WITHIN_MS));
      const livesSinceMs =
        seconds === null ? null : this.#lives.heard(domain, seconds, askedMs, performance.now());
      return { failure: null, livesSinceMs };
    } catch (error) {
      const condition = error instanceof CallError ? error.condition : "service-unavailable";
      const hasAnswered = error instanceof CallError && isProof(condition);
      return { failure: hasAnswered ? null : condition, livesSinceMs: null };
    }
  }
}

/** How long the server says it runs; null when it says nothing that makes sense. */
function secondsIn(result: Element): number | null {
  const seconds = result.getChild("query", NS.last)?.attrs.seconds;
  return typeof seconds === "string" && /^\d{1,10}$/.test(seconds) ? Number(seconds) : null;
}
