/**
 * What a shard and the agents say to each other beside calls: dispatches and asks go out in batches when their commits are
 * durable, asks again until they are answered; agents' reports come in, and are acknowledged when they are durable.
 */
import {
  type AgentChannel,
  type Ask,
  asksStanza,
  DELIVERY_BATCH,
  dispatchesStanza,
  type Element,
  type Report,
  type Speaker,
} from "@tidings/protocol";
import { crashPoint } from "@tidings/runtime";
import { OpenAsks } from "./open-asks.ts";
import type { AgentDispatch } from "./turn.ts";

export class Courier {
  readonly #self: Speaker;
  readonly #agents: Readonly<Record<AgentChannel, string>>;
  readonly #send: (stanza: Element) => void;
  readonly #openAsks = new OpenAsks((asks) => this.#sendAsks(asks));
  #dispatches: AgentDispatch[] = [];
  #asks: Ask[] = [];
  #isScheduled = false;

  /** `agents` has the address of the agent for each channel. */
  constructor(
    self: Speaker,
    agents: Readonly<Record<AgentChannel, string>>,
    send: (stanza: Element) => void,
  ) {
    this.#self = self;
    this.#agents = agents;
    this.#send = send;
  }

  /** Takes what a durable commit says to the agent; what comes within one tick goes in one message. */
  take(dispatches: readonly AgentDispatch[], asks: readonly Ask[]): void {
    if (dispatches.length === 0 && asks.length === 0) return;
    this.#dispatches.push(...dispatches);
    this.#asks.push(...asks);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** The agent has said this; what it answers is not asked again. */
  heard(reports: readonly Report[]): void {
    this.#openAsks.heard(reports);
  }

  /** Nothing is asked again any more. */
  close(): void {
    this.#openAsks.close();
  }

  /** Sends at once what waits for the end of the tick. */
  flush(): void {
    this.#isScheduled = false;
    const dispatches = this.#dispatches;
    const asks = this.#asks;
    this.#dispatches = [];
    this.#asks = [];
    for (const [channel, ofChannel] of Map.groupBy(dispatches, ({ channel }) => channel))
      this.#sendDispatches(this.#agents[channel], ofChannel);
    this.#openAsks.asked(asks);
    this.#sendAsks(asks);
  }

  #sendDispatches(agent: string, dispatches: readonly AgentDispatch[]): void {
    const whole = dispatches.map(({ dispatch }) => dispatch);
    for (const part of partsBy(whole, ({ members }) => 1 + (members?.length ?? 0))) {
      crashPoint("dispatch.send.before");
      this.#send(dispatchesStanza(this.#self, agent, part));
      crashPoint("dispatch.send.after");
    }
  }

  #sendAsks(asks: readonly Ask[]): void {
    for (const part of partsBy(asks, () => 1)) this.#send(asksStanza(this.#self, this.#agents.im, part));
  }
}

/** Parts that together weigh no more than {@link DELIVERY_BATCH}, or hold one alone. */
function* partsBy<T>(all: readonly T[], weightOf: (one: T) => number): Generator<readonly T[]> {
  let part: T[] = [];
  let weight = 0;
  for (const one of all) {
    const more = weightOf(one);
    if (part.length > 0 && weight + more > DELIVERY_BATCH) {
      yield part;
      [part, weight] = [[], 0];
    }
    part.push(one);
    weight += more;
  }
  if (part.length > 0) yield part;
}
