/**
 * The sending half of frames: one stream to each other shard.
 *
 *     acked ≤ sent ≤ durable ≤ sealed        sent − acked ≤ credit
 *
 * Frames are rows of the shard (`out/<shard>/<seq>`), sealed into the same record as the turns that told their events. They
 * leave when that record is durable, and again from the first unacknowledged one until the receiver has acknowledged.
 */
import {
  type AddressedEvent,
  FRAME_BYTES,
  FRAME_RECIPIENTS,
  FRAME_WINDOW,
  type FrameAck,
  type Shard,
  shardOf,
} from "@tidings/protocol";
import { backOffMs, crashPoint } from "@tidings/runtime";
import { type Row, withPrefix } from "@tidings/store";
import type { RowReader } from "./turn.ts";

const RESEND = { firstMs: 2_000, maxMs: 60_000 };

export interface OutboxOptions {
  /** Localpart under which the shard keeps its own rows. */
  readonly self: string;
  readonly reader: RowReader;
  readonly send: (to: Shard, seq: number, json: string) => void;
  /** Removes acknowledged rows some time soon; a crash before it only means sending again. */
  readonly forget: (rows: readonly Row[]) => void;
}

interface Stream {
  sealed: number;
  durable: number;
  sent: number;
  acked: number;
  credit: number;
  attempt: number;
  timer: NodeJS.Timeout | null;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #streams = new Map<Shard, Stream>();
  #isOpen = true;

  constructor(options: OutboxOptions) {
    this.#options = options;
    for (const { key, value } of options.reader.list(options.self, withPrefix("outseq/"))) {
      const to = Number(key.slice("outseq/".length));
      const first = options.reader.list(options.self, withPrefix(`out/${to}/`, { limit: 1 }))[0];
      const sealed = Number(value);
      const acked = first === undefined ? sealed : seqOf(first.key) - 1;
      this.#streams.set(to, { ...newStream(), sealed, durable: sealed, acked, sent: acked });
    }
  }

  /** Frames that nobody has acknowledged yet. */
  get waiting(): number {
    let count = 0;
    for (const stream of this.#streams.values()) count += stream.sealed - stream.acked;
    return count;
  }

  /** Numbers the events of a record as frames; the rows go into the same record. */
  seal(told: readonly AddressedEvent[]): Row[] {
    const rows: Row[] = [];
    for (const [to, entries] of entriesByShard(told)) {
      const stream = this.#stream(to);
      for (const json of framesOf(entries)) rows.push(this.#row(to, ++stream.sealed, json));
      rows.push({ avatar: this.#options.self, key: `outseq/${to}`, value: String(stream.sealed) });
    }
    return rows;
  }

  /** The shard is served on the bus: sends again what nobody has acknowledged, and nothing that is not durable. */
  resume(): void {
    for (const shard of this.#streams.keys()) this.onShardUp(shard);
  }

  /** All frames that were sealed are in the journal: sends what the windows allow. */
  release(): void {
    for (const [to, stream] of this.#streams) {
      stream.durable = stream.sealed;
      this.#pump(to, stream);
    }
  }

  /** An acknowledgement from shard `from`. */
  onAck(from: Shard, { upto, credit }: FrameAck): void {
    const stream = this.#streams.get(from);
    if (stream === undefined || upto > stream.sealed) return;
    if (upto > stream.acked) this.#forget(from, stream, upto);
    stream.credit = credit;
    stream.sent = Math.max(stream.sent, stream.acked);
    this.#pump(from, stream);
  }

  /** The receiving shard serves again: sends at once what it has not acknowledged. */
  onShardUp(shard: Shard): void {
    const stream = this.#streams.get(shard);
    if (stream === undefined) return;
    stream.attempt = 0;
    stream.credit = FRAME_WINDOW;
    this.#again(shard, stream);
  }

  close(): void {
    this.#isOpen = false;
    for (const stream of this.#streams.values()) this.#stopTimer(stream);
  }

  #pump(to: Shard, stream: Stream): void {
    if (!this.#isOpen) return;
    while (stream.sent < stream.durable && stream.sent - stream.acked < stream.credit) {
      const json = this.#options.reader.get(this.#options.self, keyOf(to, stream.sent + 1));
      stream.sent++;
      crashPoint("frame.send.before");
      if (json !== undefined) this.#options.send(to, stream.sent, json);
    }
    if (stream.acked < stream.durable) this.#startTimer(to, stream);
    else this.#stopTimer(stream);
  }

  #again(to: Shard, stream: Stream): void {
    this.#stopTimer(stream);
    stream.sent = stream.acked;
    stream.credit = Math.max(1, stream.credit);
    this.#pump(to, stream);
  }

  #startTimer(to: Shard, stream: Stream): void {
    if (stream.timer !== null) return;
    stream.attempt++;
    stream.timer = setTimeout(
      () => this.#again(to, stream),
      backOffMs(stream.attempt, RESEND, Math.random()),
    );
  }

  #stopTimer(stream: Stream): void {
    if (stream.timer !== null) clearTimeout(stream.timer);
    stream.timer = null;
  }

  #forget(to: Shard, stream: Stream, upto: number): void {
    const rows: Row[] = [];
    for (let seq = stream.acked + 1; seq <= upto; seq++) rows.push(this.#row(to, seq, null));
    stream.acked = upto;
    stream.attempt = 0;
    this.#stopTimer(stream);
    this.#options.forget(rows);
  }

  #row(to: Shard, seq: number, value: string | null): Row {
    return { avatar: this.#options.self, key: keyOf(to, seq), value };
  }

  #stream(to: Shard): Stream {
    let stream = this.#streams.get(to);
    if (stream === undefined) {
      stream = newStream();
      this.#streams.set(to, stream);
    }
    return stream;
  }
}

function newStream(): Stream {
  return { sealed: 0, durable: 0, sent: 0, acked: 0, credit: FRAME_WINDOW, attempt: 0, timer: null };
}

function keyOf(to: Shard, seq: number): string {
  return `out/${to}/${String(seq).padStart(12, "0")}`;
}

function seqOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1));
}

interface OutgoingEntry {
  readonly json: string;
  readonly recipients: number;
}

/** Splits the recipients of each event by their shard; an event is serialised once for all of them. */
function entriesByShard(told: readonly AddressedEvent[]): Map<Shard, OutgoingEntry[]> {
  const byShard = new Map<Shard, OutgoingEntry[]>();
  for (const { from, to, event } of told) {
    const json = JSON.stringify(event);
    for (const [shard, names] of Map.groupBy(to, shardOf)) {
      const entries = byShard.get(shard) ?? [];
      for (let at = 0; at < names.length; at += FRAME_RECIPIENTS) {
        const part = names.slice(at, at + FRAME_RECIPIENTS);
        const head = JSON.stringify({ from, to: part }).slice(0, -1);
        entries.push({ json: `${head},"event":${json}}`, recipients: part.length });
      }
      byShard.set(shard, entries);
    }
  }
  return byShard;
}

/** Packs entries into frame bodies within the limits of recipients and bytes. */
function framesOf(entries: readonly OutgoingEntry[]): string[] {
  const frames: string[] = [];
  let parts: string[] = [];
  let recipients = 0;
  let bytes = 0;
  for (const entry of entries) {
    const length = Buffer.byteLength(entry.json);
    const isFull = recipients + entry.recipients > FRAME_RECIPIENTS || bytes + length > FRAME_BYTES;
    if (isFull && parts.length > 0) {
      frames.push(`{"events":[${parts.join(",")}]}`);
      parts = [];
      recipients = 0;
      bytes = 0;
    }
    parts.push(entry.json);
    recipients += entry.recipients;
    bytes += length;
  }
  frames.push(`{"events":[${parts.join(",")}]}`);
  return frames;
}
