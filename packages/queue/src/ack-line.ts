/**
 * Acknowledgements of one channel, gathered: what is settled within a tick leaves as one `basic.ack` with `multiple` set
 * (AMQP 0-9-1, basic.ack), up to the first delivery that is still in work.
 *
 *     in work: 4 6 7    acknowledged: 1 2 3 5   ──end of the tick──▶  ack 3 (multiple), ack 5
 *
 * One frame for each of many small results took a sixth of a loaded host's time.
 */
export type SendAck = (deliveryTag: number, multiple: boolean) => void;

interface Delivered {
  /** When it was published (epoch milliseconds). */
  readonly publishedAt: number;
  isAcknowledged: boolean;
}

export class AckLine {
  readonly #send: SendAck;
  /** By tag, in the order of their delivery, which is that of the numbers. */
  readonly #tags = new Map<number, Delivered>();
  #isScheduled = false;

  /** `send` writes an acknowledgement to the channel. */
  constructor(send: SendAck) {
    this.#send = send;
  }

  /** When the oldest was published that is in work (epoch milliseconds); null: none is. What still waits is younger. */
  get oldestAt(): number | null {
    for (const { publishedAt, isAcknowledged } of this.#tags.values())
      if (!isAcknowledged) return publishedAt;
    return null;
  }

  /** A delivery was handed out. */
  delivered(tag: number, publishedAt: number): void {
    this.#tags.set(tag, { publishedAt, isAcknowledged: false });
  }

  /** The delivery is settled in another way (rejected): it is in nobody's work any more. */
  forget(tag: number): void {
    this.#tags.delete(tag);
  }

  /** The delivery may be acknowledged; it is at the end of this tick. */
  ack(tag: number): void {
    const delivered = this.#tags.get(tag);
    if (delivered !== undefined) delivered.isAcknowledged = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** Sends what is acknowledged now. */
  flush(): void {
    this.#isScheduled = false;
    const upTo = this.#takeFront();
    if (upTo !== null) this.#send(upTo, true);
    for (const [tag, { isAcknowledged }] of this.#tags) {
      if (!isAcknowledged) continue;
      this.#tags.delete(tag);
      this.#send(tag, false);
    }
  }

  /** The last tag before the first that is in work; null when there is none. */
  #takeFront(): number | null {
    let last: number | null = null;
    for (const [tag, { isAcknowledged }] of this.#tags) {
      if (!isAcknowledged) break;
      this.#tags.delete(tag);
      last = tag;
    }
    return last;
  }
}
