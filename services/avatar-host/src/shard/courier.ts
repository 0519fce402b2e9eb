/**
 * What a shard and the agents say to each other beside calls: dispatches and asks go out in batches when their commits are
 * durable; agents' reports come in, and are acknowledged when they are durable.
 */
import {
  type Ask,
  asksStanza,
  DELIVERY_BATCH,
  type Dispatch,
  dispatchesStanza,
  type Element,
  type Speaker,
} from "@tidings/protocol";
import { crashPoint } from "@tidings/runtime";

export class Courier {
  readonly #self: Speaker;
  readonly #agent: string;
  readonly #send: (stanza: Element) => void;
  #dispatches: Dispatch[] = [];
  #asks: Ask[] = [];
  #isScheduled = false;

  constructor(self: Speaker, agent: string, send: (stanza: Element) => void) {
    this.#self = self;
    this.#agent = agent;
    this.#send = send;
  }

  /** Takes what a durable commit says to the agent; what comes within one tick goes in one message. */
  take(dispatches: readonly Dispatch[], asks: readonly Ask[]): void {
    if (dispatches.length === 0 && asks.length === 0) return;
    this.#dispatches.push(...dispatches);
    this.#asks.push(...asks);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#isScheduled = false;
    const dispatches = this.#dispatches;
    const asks = this.#asks;
    this.#dispatches = [];
    this.#asks = [];
    for (const part of parts(dispatches)) {
      crashPoint("dispatch.send.before");
      this.#send(dispatchesStanza(this.#self, this.#agent, part));
      crashPoint("dispatch.send.after");
    }
    for (const part of parts(asks)) this.#send(asksStanza(this.#self, this.#agent, part));
  }
}

function* parts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += DELIVERY_BATCH) yield all.slice(at, at + DELIVERY_BATCH);
}
