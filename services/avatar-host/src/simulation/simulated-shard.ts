/** A shard on the host that owns it: the real Outbox and Inbox above a journal that is a value. */
import { type AddressedEvent, FRAME_WINDOW, type FrameAck, type FrameBody, shardOf } from "@tidings/protocol";
import type { Row } from "@tidings/store";
import type { MemoryRows } from "../memory-rows.ts";
import type { Clock } from "../shard/clock.ts";
import { Inbox } from "../shard/inbox.ts";
import { Outbox } from "../shard/outbox.ts";
import type { LogRecord } from "./fenced-log.ts";

/** What a shard can be made to do wrong, to see whether the simulation notices. */
export type Flaw =
  | "inbox accepts a gap"
  | "inbox acknowledges before it is durable"
  | "inbox applies what it has applied before"
  | "outbox forgets before the acknowledgement"
  | "outbox sends before it is durable"
  | "journal takes writes of a deposed owner"
  | "router carries what a deposed owner says";

export type Message =
  | { readonly kind: "frame"; readonly seq: number; readonly json: string }
  | { readonly kind: "ack"; readonly ack: FrameAck }
  | { readonly kind: "up" };

export interface SimulatedShardOptions {
  readonly number: number;
  readonly epoch: number;
  readonly rows: MemoryRows;
  readonly clock: Clock;
  readonly flaw: Flaw | null;
  readonly send: (to: number, message: Message) => void;
  /** Writes a record; `done` says whether it is in the journal, or the owner is deposed. */
  readonly append: (record: LogRecord, done: (isMine: boolean) => void) => void;
  readonly onDeposed: () => void;
  readonly credit: () => number;
}

interface Staged {
  readonly rows: readonly Row[];
  readonly told?: AddressedEvent;
  readonly heard?: LogRecord["heard"];
  readonly onDurable?: () => void;
}

/** Localpart of every simulated shard's own rows: each has rows of its own. */
const SELF = "_";
let records = 0;

export class SimulatedShard {
  readonly number: number;
  readonly epoch: number;
  readonly #options: SimulatedShardOptions;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  /** For the inbox that accepts gaps or repeats: what it claims to have seen. */
  readonly #forged = new Map<number, number>();
  #staged: Staged[] = [];
  #isWriting = false;
  #isOpen = true;

  constructor(options: SimulatedShardOptions) {
    this.#options = options;
    this.number = options.number;
    this.epoch = options.epoch;
    const { rows: reader, clock, send, flaw } = options;
    this.#outbox = new Outbox({
      self: SELF,
      reader,
      clock,
      send: (to, seq, json) => {
        send(to, { kind: "frame", seq, json });
        if (flaw === "outbox forgets before the acknowledgement")
          queueMicrotaskIn(clock, () =>
            this.#outbox.onAck(to, { stream: 0, upto: seq, credit: FRAME_WINDOW }),
          );
      },
      forget: (rows) => this.#stage({ rows }),
      onProgress: () => this.#inbox.reconsider(),
    });
    this.#inbox = new Inbox({
      self: SELF,
      reader,
      apply: (from, body, rows, onDurable) => this.#apply(from, body, rows, onDurable),
      acknowledge: (ack) => send(ack.stream, { kind: "ack", ack }),
      credit: options.credit,
    });
  }

  /** It is reached on the bus: sends what waits. */
  serve(): void {
    this.#outbox.resume();
  }

  tell(event: AddressedEvent): void {
    this.#stage({ rows: [], told: event });
  }

  get isIdle(): boolean {
    return this.#outbox.waiting === 0 && this.#staged.length === 0 && !this.#isWriting;
  }

  get waiting(): number {
    return this.#outbox.waiting;
  }

  receive(from: number, message: Message): void {
    if (!this.#isOpen) return;
    if (message.kind === "up") this.#outbox.onShardUp(from);
    else if (message.kind === "ack") this.#outbox.onAck(from, message.ack);
    else this.#inbox.onFrame(from, this.#seqOf(from, message.seq), JSON.parse(message.json) as FrameBody);
  }

  close(): void {
    this.#isOpen = false;
    this.#outbox.close();
  }

  #seqOf(from: number, seq: number): number {
    const seen = this.#forged.get(from) ?? Number(this.#options.rows.get(SELF, `in/${from}`) ?? 0);
    const { flaw } = this.#options;
    const isForged =
      (flaw === "inbox accepts a gap" && seq > seen) || flaw === "inbox applies what it has applied before";
    if (!isForged) return seq;
    this.#forged.set(from, seen + 1);
    return seen + 1;
  }

  #apply(from: number, body: FrameBody, rows: readonly Row[], onDurable: () => void): void {
    const heard = body.events.map(({ event }) => ({ from, text: textOf(event) }));
    if (this.#options.flaw === "inbox acknowledges before it is durable") {
      onDurable();
      this.#stage({ rows, heard });
    } else this.#stage({ rows, heard, onDurable });
  }

  #stage(staged: Staged): void {
    if (!this.#isOpen) return;
    this.#options.rows.apply(staged.rows);
    this.#staged.push(staged);
    this.#write();
  }

  /** One record at a time; what is staged meanwhile becomes the next. */
  #write(): void {
    if (this.#isWriting || this.#staged.length === 0) return;
    this.#isWriting = true;
    const group = this.#staged.splice(0);
    const told = group.flatMap((staged) => staged.told ?? []);
    const sealed = this.#outbox.seal(told);
    this.#options.rows.apply(sealed);
    if (this.#options.flaw === "outbox sends before it is durable") this.#outbox.release();
    const record: LogRecord = {
      id: ++records,
      rows: [...group.flatMap(({ rows }) => rows), ...sealed],
      told: told.map(({ to, event }) => ({ to: shardOf(to[0] ?? ""), text: textOf(event) })),
      heard: group.flatMap(({ heard }) => heard ?? []),
    };
    this.#options.append(record, (isMine) => this.#written(isMine, group));
  }

  #written(isMine: boolean, group: readonly Staged[]): void {
    if (!this.#isOpen) return;
    this.#isWriting = false;
    if (!isMine) {
      this.#options.onDeposed();
      return;
    }
    if (group.some(({ told }) => told !== undefined)) this.#outbox.release();
    for (const { onDurable } of group) onDurable?.();
    this.#inbox.reconsider();
    this.#write();
  }
}

function textOf(event: AddressedEvent["event"]): string {
  return event.type === "subscribed" ? event.url : event.type;
}

function queueMicrotaskIn(clock: Clock, work: () => void): void {
  clock.after(0, work);
}
