/**
 * What a shard and the agents say to each other beside calls: dispatches and asks go out in batches when their commits are
 * durable, asks again until they are answered; agents' reports come in, and are acknowledged when they are durable.
 */
import {
  type Ask,
  asksStanza,
  DELIVERY_BATCH,
  type Dispatch,
  dispatchesStanza,
  type Element,
  type Report,
  type Speaker,
} from "@tidings/protocol";
import { crashPoint } from "@tidings/runtime";
import { OpenAsks } from "./open-asks.ts";

export class Courier {
  readonly #self: Speaker;
  readonly #agent: string;
  readonly #send: (stanza: Element) => void;
  readonly #openAsks = new OpenAsks((asks) => this.#sendAsks(asks));
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

  /** The agent has said this; what it answers is not asked again. */
  heard(reports: readonly Report[]): void {
    this.#openAsks.heard(reports);
  }

  /** Nothing is asked again any more. */
  close(): void {
    this.#openAsks.close();
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
    this.#openAsks.asked(asks);
    this.#sendAsks(asks);
  }

  #sendAsks(asks: readonly Ask[]): void {
    for (const part of parts(asks)) this.#send(asksStanza(this.#self, this.#agent, part));
  }
}

function* parts<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += DELIVERY_BATCH) yield all.slice(at, at + DELIVERY_BATCH);
}
