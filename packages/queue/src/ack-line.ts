/**
 * Acknowledgements of one channel, gathered: what is settled within a tick leaves as one `basic.ack` with `multiple` set
 * (AMQP 0-9-1, basic.ack), up to the first delivery that is still in work.
 *
 *     in work: 4 6 7    acknowledged: 1 2 3 5   ──end of the tick──▶  ack 3 (multiple), ack 5
 *
 * One frame for each of many small results took a sixth of a loaded host's time.
 */
export type SendAck = (deliveryTag: number, multiple: boolean) => void;

export class AckLine {
  readonly #send: SendAck;
  /** Tags in the order of their delivery, which is that of their numbers, and whether each is acknowledged. */
  readonly #tags = new Map<number, boolean>();
  #isScheduled = false;

  /** `send` writes an acknowledgement to the channel. */
  constructor(send: SendAck) {
    this.#send = send;
  }

  /** A delivery was handed out. */
  delivered(tag: number): void {
    this.#tags.set(tag, false);
  }

  /** The delivery is settled in another way (rejected): it is in nobody's work any more. */
  forget(tag: number): void {
    this.#tags.delete(tag);
  }

  /** The delivery may be acknowledged; it is at the end of this tick. */
  ack(tag: number): void {
    this.#tags.set(tag, true);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** Sends what is acknowledged now. */
  flush(): void {
    this.#isScheduled = false;
    const upTo = this.#takeFront();
    if (upTo !== null) this.#send(upTo, true);
    for (const [tag, isAcknowledged] of this.#tags) {
      if (!isAcknowledged) continue;
      this.#tags.delete(tag);
      this.#send(tag, false);
    }
  }

  /** The last tag before the first that is in work; null when there is none. */
  #takeFront(): number | null {
    let last: number | null = null;
    for (const [tag, isAcknowledged] of this.#tags) {
      if (!isAcknowledged) break;
      this.#tags.delete(tag);
      last = tag;
    }
    return last;
  }
}
