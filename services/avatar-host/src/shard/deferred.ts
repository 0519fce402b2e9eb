/**
 * Events for avatars of the own shard that cannot be told in the commit that told them, because the rows of one of them must
 * be read from the checkpoints first. They wait as rows of the shard, in the order in which they were told.
 *
 *     here/<12 digits> = AddressedEvent
 */
import type { AddressedEvent } from "@tidings/protocol";
import { type Row, withPrefix } from "@tidings/store";
import type { Mailboxes } from "./mailbox.ts";
import type { RowReader } from "./turn.ts";

const HERE = "here/";
/** Its place in line keeps deferred events in order. Like a stream it is always awake. */
const LINE = "stream:here";

export interface DeferredOptions {
  readonly self: string;
  readonly reader: RowReader;
  readonly mailboxes: Mailboxes;
  readonly isAwake: (name: string) => boolean;
  /** Tells the event in a commit of its own, to which `row` belongs: it removes the event. */
  readonly tell: (event: AddressedEvent, row: Row) => void;
}

/** An event that waits, and the key of its row. */
export interface DeferredEvent {
  readonly key: string;
  readonly event: AddressedEvent;
}

export class Deferred {
  readonly #options: DeferredOptions;
  /** What waits until the shard is served; null from then on. */
  #held: DeferredEvent[] | null;
  #last: number;
  #waiting: number;

  /** Reads what the shard's owner before has left. */
  constructor(options: DeferredOptions) {
    this.#options = options;
    this.#held = options.reader
      .list(options.self, withPrefix(HERE))
      .map(({ key, value }) => ({ key, event: JSON.parse(value) as AddressedEvent }));
    this.#waiting = this.#held.length;
    this.#last = Number(this.#held.at(-1)?.key.slice(HERE.length) ?? 0);
  }

  /** The shard is served: what waits may be told. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const entry of held) this.#lineUp(entry);
  }

  /** Whether `event` may not be told now: somebody it is for sleeps, or an earlier event still waits. */
  mustWait({ to }: AddressedEvent): boolean {
    return this.#waiting > 0 || !to.every((name) => this.#options.isAwake(name));
  }

  /** Gives the event its row. */
  rowFor(event: AddressedEvent): Row {
    const key = HERE + String(++this.#last).padStart(12, "0");
    return { avatar: this.#options.self, key, value: JSON.stringify(event) };
  }

  /** Lines up an event whose row has been written. */
  post(entry: DeferredEvent): void {
    this.#waiting++;
    if (this.#held === null) this.#lineUp(entry);
    else this.#held.push(entry);
  }

  #lineUp({ key, event }: DeferredEvent): void {
    const { self, mailboxes, tell } = this.#options;
    mailboxes.post({
      names: [LINE, ...event.to],
      run: () => {
        this.#waiting--;
        tell(event, { avatar: self, key, value: null });
      },
    });
  }
}
