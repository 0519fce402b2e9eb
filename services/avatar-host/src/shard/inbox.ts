/**
 * The receiving half of frames: of each stream, the next frame and no other is applied, in one commit with its effects.
 *
 *     lower = acknowledge again and drop · next = apply · gap = keep up to 64 until the missing one comes, else ask again
 *
 * A sender that was told to stop (credit 0) is told when it may go on; should that word be lost, it knocks with one frame at
 * each resend interval. A knock is applied: two shards under pressure that refused each other's frames would wait for ever.
 */
import { FRAME_WINDOW, type FrameAck, type FrameBody, type Shard } from "@tidings/protocol";
import { crashPoint } from "@tidings/runtime";
import { type Row, withPrefix } from "@tidings/store";
import type { RowReader } from "./turn.ts";

const KEPT_BEYOND_GAP = 64;

export interface InboxOptions {
  readonly self: string;
  readonly reader: RowReader;
  /** Applies a frame: `rows` go into its commit, `onDurable` is called after it. Frames of a stream come in order. */
  readonly apply: (stream: Shard, body: FrameBody, rows: readonly Row[], onDurable: () => void) => void;
  readonly acknowledge: (ack: FrameAck) => void;
  /** How many frames a sender may have in flight now. */
  readonly credit: () => number;
}

interface Stream {
  /** Given to `apply`. */
  accepted: number;
  /** In the journal. */
  durable: number;
  readonly beyond: Map<number, FrameBody>;
  /** The last acknowledgement said credit 0. */
  isStopped: boolean;
}

export class Inbox {
  readonly #options: InboxOptions;
  readonly #streams = new Map<Shard, Stream>();
  /** How many streams are stopped. */
  #stopped = 0;

  constructor(options: InboxOptions) {
    this.#options = options;
    for (const { key, value } of options.reader.list(options.self, withPrefix("in/"))) {
      const applied = Number(value);
      this.#streams.set(Number(key.slice("in/".length)), newStream(applied));
    }
  }

  onFrame(from: Shard, seq: number, body: FrameBody): void {
    const stream = this.#stream(from);
    if (seq <= stream.accepted) {
      if (seq <= stream.durable) this.#acknowledge(from, stream);
      return;
    }
    if (seq > stream.accepted + 1) {
      if (seq <= stream.accepted + KEPT_BEYOND_GAP) stream.beyond.set(seq, body);
      else this.#acknowledge(from, stream);
      return;
    }
    for (let next: FrameBody | undefined = body; next !== undefined; ) {
      this.#accept(from, stream, next);
      stream.beyond.delete(stream.accepted);
      next = stream.beyond.get(stream.accepted + 1);
    }
  }

  /** The pressure may be over: tells the senders that were stopped, and have not been told since, that they may go on. */
  reconsider(): void {
    if (this.#stopped === 0 || this.#options.credit() === 0) return;
    for (const [from, stream] of this.#streams) if (stream.isStopped) this.#acknowledge(from, stream);
  }

  #accept(from: Shard, stream: Stream, body: FrameBody): void {
    crashPoint("frame.apply.before");
    const seq = ++stream.accepted;
    const row = { avatar: this.#options.self, key: `in/${from}`, value: String(seq) };
    this.#options.apply(from, body, [row], () => {
      stream.durable = seq;
      this.#acknowledge(from, stream);
    });
  }

  #acknowledge(from: Shard, stream: Stream): void {
    const credit = Math.min(FRAME_WINDOW, this.#options.credit());
    const isStopped = credit === 0;
    if (isStopped !== stream.isStopped) this.#stopped += isStopped ? 1 : -1;
    stream.isStopped = isStopped;
    crashPoint("frame.ack.before");
    this.#options.acknowledge({ stream: from, upto: stream.durable, credit });
    crashPoint("frame.ack.after");
  }

  #stream(from: Shard): Stream {
    let stream = this.#streams.get(from);
    if (stream === undefined) {
      stream = newStream(0);
      this.#streams.set(from, stream);
    }
    return stream;
  }
}

function newStream(applied: number): Stream {
  return { accepted: applied, durable: applied, beyond: new Map(), isStopped: false };
}
