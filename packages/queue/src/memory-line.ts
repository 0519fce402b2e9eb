import type { Consumer, Delivery } from "./queue.ts";

export interface MemoryMessage {
  readonly body: string;
  /** Where an answer goes, when the message is a question. */
  readonly answer: ((body: string) => void) | null;
}

export interface LineTerms {
  readonly maxLength: number;
  readonly deliveryLimit: number;
  readonly isSingleConsumer: boolean;
  readonly deadLetter: (body: string) => void;
}

interface Held extends MemoryMessage {
  /** Position in the order of arrival; a message given back takes it again. */
  readonly position: number;
  returns: number;
}

interface Taker {
  readonly prefetch: number;
  readonly handler: (delivery: Delivery) => void;
  readonly unsettled: Set<Held>;
}

/** One queue in memory. Deliveries are made in later turns of the event loop, as from a network. */
export class MemoryLine {
  readonly #terms: LineTerms;
  readonly #takers: Taker[] = [];
  #ready: Held[] = [];
  #arrivals = 0;
  #isDelivering = false;

  constructor(terms: LineTerms) {
    this.#terms = terms;
  }

  get consumers(): number {
    return this.#takers.length;
  }

  get waiting(): number {
    return this.#ready.length;
  }

  /** Whether the message was taken; false when the queue is full. */
  add(message: MemoryMessage): boolean {
    if (this.#ready.length >= this.#terms.maxLength) return false;
    this.#arrivals += 1;
    this.#ready.push({ ...message, position: this.#arrivals, returns: 0 });
    this.#deliverSoon();
    return true;
  }

  consume(prefetch: number, handler: (delivery: Delivery) => void): Consumer {
    const taker: Taker = { prefetch, handler, unsettled: new Set() };
    this.#takers.push(taker);
    this.#deliverSoon();
    return { cancel: async () => this.#cancel(taker) };
  }

  #cancel(taker: Taker): void {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
    for (const held of [...taker.unsettled]) this.#return(taker, held);
  }

  #deliverSoon(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    setImmediate(() => {
      this.#isDelivering = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    for (
      let taker = this.#nextTaker();
      taker !== undefined && this.#ready.length > 0;
      taker = this.#nextTaker()
    ) {
      const held = this.#ready.shift() as Held;
      taker.unsettled.add(held);
      this.#hand(taker, held);
    }
  }

  /** The first that may take more; of a shard queue only the longest-serving consumer counts. */
  #nextTaker(): Taker | undefined {
    const candidates = this.#terms.isSingleConsumer ? this.#takers.slice(0, 1) : this.#takers;
    return candidates
      .filter((taker) => taker.unsettled.size < taker.prefetch)
      .sort((a, b) => a.unsettled.size - b.unsettled.size)[0];
  }

  #hand(taker: Taker, held: Held): void {
    const delivery: Delivery = {
      body: held.body,
      redelivered: held.returns > 0,
      ack: () => this.#settle(taker, held),
      giveBack: () => this.#return(taker, held),
      deadLetter: () => this.#bury(taker, held),
      reply: (body) => {
        if (taker.unsettled.has(held)) held.answer?.(body);
        this.#settle(taker, held);
      },
    };
    try {
      taker.handler(delivery);
    } catch {
      // As in the real queue: what a handler chokes on is kept where it can be looked at.
      this.#bury(taker, held);
    }
  }

  /** Whether `held` was still the taker's to settle. */
  #settle(taker: Taker, held: Held): boolean {
    const wasHeld = taker.unsettled.delete(held);
    if (wasHeld) this.#deliverSoon();
    return wasHeld;
  }

  #return(taker: Taker, held: Held): void {
    if (!this.#settle(taker, held)) return;
    held.returns += 1;
    if (held.returns > this.#terms.deliveryLimit) this.#terms.deadLetter(held.body);
    else this.#ready = [...this.#ready, held].sort((a, b) => a.position - b.position);
  }

  #bury(taker: Taker, held: Held): void {
    if (this.#settle(taker, held)) this.#terms.deadLetter(held.body);
  }
}
