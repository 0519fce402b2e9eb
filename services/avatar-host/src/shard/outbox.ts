/**
 * The sending half of frames: one stream to each other shard.
 *
 *     acked ≤ sent ≤ durable ≤ sealed        sent − acked ≤ credit
 *
 *     flowing ──oldest frame unacknowledged for 6 h──▶ parked ──progress, or the receiver is up──▶ flowing
 *                                                        └── frames of 7 days: dead letters
 *
 * Frames are rows of the shard (`out/<shard>/<seq>`), sealed into the same record as the turns that told their events. They
 * leave when that record is durable, and again from the first unacknowledged one until the receiver has acknowledged. A
 * parked stream sends its first frame alone, at the longest interval.
 */
import { type AddressedEvent, FRAME_WINDOW, type FrameAck, type Shard } from "@tidings/protocol";
import { type BackOff, backOffMs, counter, crashPoint } from "@tidings/runtime";
import { type Row, withPrefix } from "@tidings/store";
import type { Clock } from "./clock.ts";
import { emptied, entriesByShard, framesOf, isEmptied, sealedAtOf } from "./pack-frames.ts";
import type { RowReader } from "./turn.ts";

export interface FramePolicy {
  readonly resend: BackOff;
  /** Age of the oldest frame at which a stream without any progress is parked (milliseconds). */
  readonly parkAfterMs: number;
  /** Age at which a frame of a parked stream becomes a dead letter (milliseconds). */
  readonly buryAfterMs: number;
}

export const FRAME_POLICY: FramePolicy = {
  resend: { firstMs: 2_000, maxMs: 60_000 },
  parkAfterMs: 6 * 3_600_000,
  buryAfterMs: 7 * 24 * 3_600_000,
};

const SENT = counter("tidings_frames_sent_total", "Frames sent to other shards, the first time or again.", [
  "time",
]);

/** Most frames that are moved to the dead letters in one commit. */
const BURIED_AT_A_TIME = 32;

export interface OutboxOptions {
  /** Localpart under which the shard keeps its own rows. */
  readonly self: string;
  readonly reader: RowReader;
  readonly clock: Clock;
  readonly policy?: FramePolicy;
  readonly send: (to: Shard, seq: number, json: string) => void;
  /** Removes acknowledged rows some time soon; a crash before it only means sending again. */
  readonly forget: (rows: readonly Row[]) => void;
  /** Frames were acknowledged: there is more room than before. */
  readonly onProgress?: () => void;
  /** A person must look: the stream to `to` waits since `since` (epoch milliseconds) with this many frames. */
  readonly onParked?: (to: Shard, frames: number, since: number) => void;
  /**
   * Keeps a frame that is given up as a dead letter, in one commit with `row`, which empties it in the stream; calls `done`
   * when that is durable.
   */
  readonly bury?: (to: Shard, json: string, row: Row, done: () => void) => void;
}

interface Stream {
  sealed: number;
  durable: number;
  sent: number;
  /** The highest that was ever sent in this life: what is not above it is sent again. */
  reached: number;
  acked: number;
  credit: number;
  attempt: number;
  /** When there was progress or a word that the receiver is up, epoch milliseconds; 0 in no memory of it. */
  movedAt: number;
  isParked: boolean;
  /** Frames on their way to the dead letters: nothing is sent before that is durable. */
  burying: number;
  stopTimer: (() => void) | null;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #policy: FramePolicy;
  readonly #streams = new Map<Shard, Stream>();
  #waiting = 0;
  #isOpen = true;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#policy = options.policy ?? FRAME_POLICY;
    for (const { key, value } of options.reader.list(options.self, withPrefix("outseq/"))) {
      const to = Number(key.slice("outseq/".length));
      const first = options.reader.list(options.self, withPrefix(`out/${to}/`, { limit: 1 }))[0];
      const sealed = Number(value);
      const acked = first === undefined ? sealed : seqOf(first.key) - 1;
      this.#streams.set(to, { ...newStream(), sealed, durable: sealed, acked, sent: acked });
      this.#waiting += sealed - acked;
    }
  }

  /** Frames that nobody has acknowledged yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Receivers of the streams that are parked. */
  get parked(): Shard[] {
    return [...this.#streams].filter(([, { isParked }]) => isParked).map(([to]) => to);
  }

  /** Numbers the events of a record as frames; the rows go into the same record. */
  seal(told: readonly AddressedEvent[]): Row[] {
    const rows: Row[] = [];
    const nowAt = this.#options.clock.now();
    for (const [to, entries] of entriesByShard(told)) {
      const stream = this.#stream(to);
      const before = stream.sealed;
      for (const json of framesOf(entries, nowAt)) rows.push(this.#row(to, ++stream.sealed, json));
      this.#waiting += stream.sealed - before;
      rows.push({ avatar: this.#options.self, key: `outseq/${to}`, value: String(stream.sealed) });
    }
    return rows;
  }

  /** The shard is served on the bus: sends again what nobody has acknowledged, and nothing that is not durable. */
  resume(): void {
    for (const [to, stream] of this.#streams) this.#restart(to, stream);
  }

  /** All frames that were sealed are in the journal: sends what the windows allow. */
  release(): void {
    for (const [to, stream] of this.#streams) {
      stream.durable = stream.sealed;
      this.#pump(to, stream);
    }
  }

  /** An acknowledgement from shard `from`; one that another has overtaken says nothing any more. */
  onAck(from: Shard, { upto, credit }: FrameAck): void {
    const stream = this.#streams.get(from);
    if (stream === undefined || upto > stream.durable || upto < stream.acked) return;
    const isProgress = upto > stream.acked;
    stream.credit = credit;
    if (isProgress) {
      this.#forget(from, stream, upto);
      this.#unpark(stream);
    }
    stream.sent = Math.max(stream.sent, stream.acked);
    this.#pump(from, stream);
    if (isProgress) this.#options.onProgress?.();
  }

  /** The receiving shard serves again: sends at once what it has not acknowledged. */
  onShardUp(shard: Shard): void {
    const stream = this.#streams.get(shard);
    if (stream === undefined) return;
    this.#unpark(stream);
    this.#restart(shard, stream);
  }

  close(): void {
    this.#isOpen = false;
    for (const stream of this.#streams.values()) this.#stopTimer(stream);
  }

  #restart(to: Shard, stream: Stream): void {
    stream.attempt = 0;
    stream.credit = FRAME_WINDOW;
    this.#again(to, stream);
  }

  #pump(to: Shard, stream: Stream): void {
    if (!this.#isOpen) return;
    const credit = stream.isParked ? 1 : stream.credit;
    while (stream.burying === 0 && stream.sent < stream.durable && stream.sent - stream.acked < credit) {
      const json = this.#options.reader.get(this.#options.self, keyOf(to, stream.sent + 1));
      stream.sent++;
      SENT.inc({ time: stream.sent > stream.reached ? "first" : "again" });
      stream.reached = Math.max(stream.reached, stream.sent);
      crashPoint("frame.send.before");
      if (json !== undefined) this.#options.send(to, stream.sent, json);
    }
    if (stream.acked < stream.durable) this.#startTimer(to, stream);
    else this.#stopTimer(stream);
  }

  /** Credit 0 stops a stream but for one frame at each interval: the word that there is credit again may have been lost. */
  #again(to: Shard, stream: Stream): void {
    this.#stopTimer(stream);
    if (!this.#isOpen) return;
    this.#parkIfStuck(to, stream);
    stream.sent = stream.acked;
    stream.credit = Math.max(1, stream.credit);
    this.#pump(to, stream);
  }

  #startTimer(to: Shard, stream: Stream): void {
    if (stream.stopTimer !== null) return;
    stream.attempt++;
    const { clock } = this.#options;
    const { resend } = this.#policy;
    const delayMs = stream.isParked ? resend.maxMs : backOffMs(stream.attempt, resend, clock.random());
    stream.stopTimer = clock.after(delayMs, () => this.#again(to, stream));
  }

  #stopTimer(stream: Stream): void {
    stream.stopTimer?.();
    stream.stopTimer = null;
  }

  #parkIfStuck(to: Shard, stream: Stream): void {
    if (stream.acked >= stream.durable) return;
    const oldest = this.#options.reader.get(this.#options.self, keyOf(to, stream.acked + 1)) ?? "";
    const nowAt = this.#options.clock.now();
    const since = Math.max(sealedAtOf(oldest), stream.movedAt);
    if (nowAt - since < this.#policy.parkAfterMs) return;
    if (!stream.isParked) {
      stream.isParked = true;
      this.#options.onParked?.(to, stream.sealed - stream.acked, since);
    }
    this.#buryOld(to, stream, nowAt);
  }

  /** Their place in the stream stays, empty: a number that never comes would stop the receiver for ever. */
  #buryOld(to: Shard, stream: Stream, nowAt: number): void {
    const { reader, self, bury } = this.#options;
    if (bury === undefined) return;
    let buried = 0;
    for (let seq = stream.acked + 1; seq <= stream.durable && buried < BURIED_AT_A_TIME; seq++) {
      const json = reader.get(self, keyOf(to, seq));
      if (json === undefined || isEmptied(json)) continue;
      if (nowAt - sealedAtOf(json) < this.#policy.buryAfterMs) return;
      stream.burying++;
      bury(to, json, this.#row(to, seq, emptied(json)), () => {
        stream.burying--;
        this.#pump(to, stream);
      });
      buried++;
    }
  }

  #unpark(stream: Stream): void {
    stream.isParked = false;
    stream.movedAt = this.#options.clock.now();
  }

  #forget(to: Shard, stream: Stream, upto: number): void {
    const rows: Row[] = [];
    for (let seq = stream.acked + 1; seq <= upto; seq++) rows.push(this.#row(to, seq, null));
    this.#waiting -= upto - stream.acked;
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
  return {
    sealed: 0,
    durable: 0,
    sent: 0,
    reached: 0,
    acked: 0,
    credit: FRAME_WINDOW,
    attempt: 0,
    movedAt: 0,
    isParked: false,
    burying: 0,
    stopTimer: null,
  };
}

function keyOf(to: Shard, seq: number): string {
  return `out/${to}/${String(seq).padStart(12, "0")}`;
}

function seqOf(key: string): number {
  return Number(key.slice(key.lastIndexOf("/") + 1));
}
