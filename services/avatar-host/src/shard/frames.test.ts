import {
  type AddressedEvent,
  FRAME_RECIPIENTS,
  FRAME_WINDOW,
  type FrameAck,
  type FrameBody,
  shardOf,
} from "@tidings/protocol";
import { type Row, withPrefix } from "@tidings/store";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryRows } from "../memory-rows.ts";
import { seeded } from "../simulation/seeded.ts";
import { systemClock } from "./clock.ts";
import { Inbox } from "./inbox.ts";
import { Outbox } from "./outbox.ts";

const SENDER = 17;
const RECEIVER = 42;

/** A name whose avatar lives in `shard`. */
function nameIn(shard: number, prefix = "u"): string {
  for (let n = 0; ; n++) if (shardOf(`${prefix}${n}`) === shard) return `${prefix}${n}`;
}

const bob = nameIn(RECEIVER);

function saying(text: string, to: readonly string[] = [bob]): AddressedEvent {
  return { from: "alice", to: [...to], event: { type: "subscribed", url: text } };
}

function said({ event }: AddressedEvent): string {
  return event.type === "subscribed" ? event.url : event.type;
}

/** A shard's disk: what is written is seen at once, and survives a crash when the record that holds it is through. */
class Disk {
  live = new MemoryRows();
  #durable = new MemoryRows();
  #staged: Row[] = [];

  write(rows: readonly Row[]): void {
    this.live.apply(rows);
    this.#staged.push(...rows);
  }

  sync(): void {
    this.#durable.apply(this.#staged);
    this.#staged = [];
  }

  crash(): void {
    this.live = this.#durable.copy();
    this.#staged = [];
  }
}

/** The sending shard: records take in what was told, are sealed, and become durable later. */
class Sender {
  readonly disk = new Disk();
  readonly #send: (seq: number, json: string) => void;
  outbox: Outbox;
  #waiting: AddressedEvent[] = [];
  #record: AddressedEvent[] | null = null;
  /** What has become durable, in order: this is what must arrive. */
  readonly promised: string[] = [];
  #acked = 0;

  constructor(send: (seq: number, json: string) => void) {
    this.#send = send;
    this.outbox = this.#open();
  }

  tell(text: string): void {
    this.#waiting.push(saying(text));
  }

  beginRecord(): void {
    if (this.#record !== null) return;
    this.#record = this.#waiting.splice(0);
    this.disk.write(this.outbox.seal(this.#record));
  }

  endRecord(): void {
    if (this.#record === null) return;
    this.promised.push(...this.#record.map(said));
    this.#record = null;
    this.disk.sync();
    this.outbox.release();
  }

  onAck(ack: FrameAck): void {
    this.#acked = Math.max(this.#acked, ack.upto);
    this.outbox.onAck(RECEIVER, ack);
  }

  crash(): void {
    this.outbox.close();
    this.disk.crash();
    this.#waiting = [];
    this.#record = null;
    this.outbox = this.#open();
    const first = this.disk.live.list("_17", withPrefix(`out/${RECEIVER}/`, { limit: 1 }))[0];
    if (first !== undefined) this.#acked = Number(first.key.split("/")[2]) - 1;
    this.outbox.resume();
  }

  #open(): Outbox {
    return new Outbox({
      self: "_17",
      clock: systemClock,
      reader: {
        get: (avatar, key) => this.disk.live.get(avatar, key),
        list: (avatar, range) => this.disk.live.list(avatar, range),
      },
      send: (_to, seq, json) => {
        expect(
          this.#record === null || seq <= this.promised.length,
          "a frame left before it was durable",
        ).toBe(true);
        expect(seq - this.#acked, "more in flight than the window").toBeLessThanOrEqual(FRAME_WINDOW);
        this.#send(seq, json);
      },
      forget: (rows) => this.disk.write(rows),
    });
  }
}

/** The receiving shard: applies in commits, which become durable later. */
class Receiver {
  readonly disk = new Disk();
  readonly #acknowledge: (ack: FrameAck) => void;
  #inbox: Inbox;
  #commits: { readonly texts: string[]; readonly onDurable: () => void }[] = [];
  readonly heard: string[] = [];
  credit = FRAME_WINDOW;

  constructor(acknowledge: (ack: FrameAck) => void) {
    this.#acknowledge = acknowledge;
    this.#inbox = this.#open();
  }

  onFrame(seq: number, json: string): void {
    this.#inbox.onFrame(SENDER, seq, JSON.parse(json) as FrameBody);
  }

  sync(): void {
    this.disk.sync();
    for (const { texts, onDurable } of this.#commits.splice(0)) {
      this.heard.push(...texts);
      onDurable();
    }
  }

  crash(): void {
    this.#commits = [];
    this.disk.crash();
    this.#inbox = this.#open();
  }

  #open(): Inbox {
    return new Inbox({
      self: "_42",
      reader: this.disk.live,
      apply: (_stream, { events }, rows, onDurable) => {
        this.disk.write(rows);
        this.#commits.push({ texts: events.map(said), onDurable });
      },
      acknowledge: this.#acknowledge,
      credit: () => this.credit,
    });
  }
}

/** A line that loses, repeats and reorders, as `random` (0 to 1) has it. */
class Line<T> {
  #held: T[] = [];

  put(message: T): void {
    this.#held.push(message);
  }

  deliver(random: () => number, to: (message: T) => void): void {
    if (this.#held.length === 0) return;
    const at = Math.floor(random() * this.#held.length);
    const message = this.#held[at] as T;
    const fate = random();
    if (fate > 0.1) this.#held.splice(at, 1);
    if (fate < 0.8) to(message);
  }

  deliverAll(to: (message: T) => void): boolean {
    const all = this.#held.splice(0);
    for (const message of all) to(message);
    return all.length > 0;
  }
}

/** A pair of shards with a bad line in both directions between them. */
function makePair() {
  const frames = new Line<{ seq: number; json: string }>();
  const acks = new Line<FrameAck>();
  const sender = new Sender((seq, json) => frames.put({ seq, json }));
  const receiver = new Receiver((ack) => acks.put(ack));
  return { frames, acks, sender, receiver };
}

function runBadly(
  { frames, acks, sender, receiver }: ReturnType<typeof makePair>,
  random: () => number,
): void {
  for (let step = 0, told = 0; step < 600; step++) {
    const dice = random() * 100;
    if (dice < 25) sender.tell(String(told++));
    else if (dice < 35) sender.beginRecord();
    else if (dice < 45) sender.endRecord();
    else if (dice < 68) frames.deliver(random, ({ seq, json }) => receiver.onFrame(seq, json));
    else if (dice < 80) acks.deliver(random, (ack) => sender.onAck(ack));
    else if (dice < 90) receiver.sync();
    else if (dice < 95) vi.advanceTimersByTime(random() * 5_000);
    else if (dice < 97) sender.outbox.resume();
    else if (dice < 98) sender.crash();
    else if (dice < 99) receiver.crash();
    else receiver.credit = random() < 0.5 ? 0 : FRAME_WINDOW;
  }
}

function runWell({ frames, acks, sender, receiver }: ReturnType<typeof makePair>): void {
  receiver.credit = FRAME_WINDOW;
  for (let round = 0; round < 50; round++) {
    sender.endRecord();
    sender.beginRecord();
    vi.advanceTimersByTime(60_000);
    while (frames.deliverAll(({ seq, json }) => receiver.onFrame(seq, json))) {
      receiver.sync();
      acks.deliverAll((ack) => sender.onAck(ack));
    }
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("frames on a line that loses, repeats and reorders, between shards that crash", () => {
  test("everything that was durable arrives once and in order, and the outbox is empty in the end", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const pair = makePair();
        runBadly(pair, seeded(seed));
        runWell(pair);
        expect(pair.receiver.heard).toEqual(pair.sender.promised);
        expect(pair.sender.outbox.waiting).toBe(0);
        pair.sender.outbox.close();
        vi.clearAllTimers();
      }),
      { numRuns: 150 },
    );
  });
});

describe("an outbox", () => {
  const sent: number[] = [];
  const parked: { to: number; frames: number }[] = [];
  const buried: string[] = [];
  const whenBuried: (() => void)[] = [];
  const rows = () => ({ ...makeOutbox() });
  function makeOutbox() {
    const disk = new MemoryRows();
    sent.length = parked.length = buried.length = whenBuried.length = 0;
    const open = () =>
      new Outbox({
        self: "_17",
        clock: systemClock,
        reader: disk,
        send: (_to, seq) => sent.push(seq),
        forget: (gone) => disk.apply(gone),
        onParked: (to, frames) => parked.push({ to, frames }),
        bury: (_to, json, row, done) => {
          buried.push(json);
          disk.apply([row]);
          whenBuried.push(done);
        },
      });
    const outbox = open();
    const tell = (...events: AddressedEvent[]) => disk.apply(outbox.seal(events));
    return { disk, outbox, tell, open };
  }

  test("sends nothing before it is durable, also when the shard comes up on the bus again", () => {
    const { outbox, tell } = rows();
    tell(saying("a"));
    outbox.resume();
    expect(sent).toEqual([]);
    outbox.release();
    expect(sent).toEqual([1]);
  });

  test("sends again from the first unacknowledged frame after two seconds at most", () => {
    const { outbox, tell } = rows();
    for (const text of ["a", "b", "c"]) tell(saying(text));
    outbox.release();
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 1, credit: 32 });
    sent.length = 0;
    vi.advanceTimersByTime(2_000);
    expect(sent).toEqual([2, 3]);
  });

  test("stops at credit 0 but for a knock now and then, and goes on when there is credit", () => {
    const { outbox, tell } = rows();
    tell(saying("a"));
    outbox.release();
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 1, credit: 0 });
    for (const text of ["b", "c"]) tell(saying(text));
    sent.length = 0;
    outbox.release();
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(2_000);
    expect(sent).toEqual([2]);
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 2, credit: 32 });
    expect(sent).toEqual([2, 3]);
  });

  test("an acknowledgement of what was never sent is not believed", () => {
    const { disk, outbox, tell } = rows();
    tell(saying("a"));
    outbox.release();
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 99, credit: 32 });
    expect(outbox.waiting).toBe(1);
    expect(disk.list("_17", withPrefix("out/"))).toHaveLength(1);
  });

  test("an event for many users of a shard goes in frames of at most two hundred of them", () => {
    const { disk, tell } = rows();
    const users = Array.from({ length: 450 }, (_, n) => nameIn(RECEIVER, `v${n}x`));
    tell(saying("a", users));
    const bodies = disk.list("_17", withPrefix("out/")).map(({ value }) => JSON.parse(value) as FrameBody);
    expect(bodies.map(({ events }) => events[0]?.to.length)).toEqual([
      FRAME_RECIPIENTS,
      FRAME_RECIPIENTS,
      50,
    ]);
    expect(bodies.flatMap(({ events }) => events.flatMap(({ to }) => to))).toEqual(users);
  });

  test("events for several shards go on a stream each", () => {
    const { disk, tell } = rows();
    tell(saying("a", [nameIn(1), nameIn(2), nameIn(3)]));
    expect(disk.list("_17", withPrefix("outseq/")).map(({ key }) => key)).toEqual([
      "outseq/1",
      "outseq/2",
      "outseq/3",
    ]);
  });

  const HOUR_MS = 3_600_000;

  test("a stream without a word for six hours is parked: alarmed once, one frame a minute, until the receiver is up", () => {
    const { outbox, tell } = rows();
    for (const text of ["a", "b", "c"]) tell(saying(text));
    outbox.release();
    vi.advanceTimersByTime(6 * HOUR_MS - 60_000);
    expect(outbox.parked).toEqual([]);
    vi.advanceTimersByTime(2 * 60_000);
    expect(outbox.parked).toEqual([RECEIVER]);

    sent.length = 0;
    vi.advanceTimersByTime(10 * 60_000);
    expect(sent).toEqual(Array(10).fill(1));
    expect(parked).toEqual([{ to: RECEIVER, frames: 3 }]);

    sent.length = 0;
    outbox.onShardUp(RECEIVER);
    expect(sent).toEqual([1, 2, 3]);
    expect(outbox.parked).toEqual([]);
  });

  test("an acknowledgement that takes something away ends the parking, one that takes nothing does not", () => {
    const { outbox, tell } = rows();
    for (const text of ["a", "b", "c"]) tell(saying(text));
    outbox.release();
    vi.advanceTimersByTime(7 * HOUR_MS);
    sent.length = 0;
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 0, credit: 32 });
    expect(sent).toEqual([]);
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 1, credit: 32 });
    expect(sent).toEqual([2, 3]);
    expect(outbox.parked).toEqual([]);
  });

  test("the age of a frame outlives the host", () => {
    const { outbox, tell, open } = rows();
    for (const text of ["a", "b"]) tell(saying(text));
    outbox.close();
    vi.advanceTimersByTime(7 * HOUR_MS);
    const next = open();
    sent.length = 0;
    next.resume();
    expect(next.parked).toEqual([RECEIVER]);
    expect(sent).toEqual([1]);
    next.onAck(RECEIVER, { stream: SENDER, upto: 1, credit: 32 });
    expect(sent).toEqual([1, 2]);
  });

  test("a frame of seven days becomes a dead letter once, and its place in the stream stays, empty", () => {
    const { disk, outbox, tell } = rows();
    for (const text of ["a", "b"]) tell(saying(text));
    outbox.release();
    vi.advanceTimersByTime(5 * 24 * HOUR_MS);
    tell(saying("c"));
    outbox.release();
    expect(buried).toEqual([]);
    vi.advanceTimersByTime(3 * 24 * HOUR_MS);
    const texts = buried.flatMap((json) => (JSON.parse(json) as FrameBody).events.map(said));
    expect(texts).toEqual(["a", "b"]);
    const left = disk.list("_17", withPrefix("out/")).map(({ value }) => JSON.parse(value) as FrameBody);
    expect(left.map(({ events }) => events.length)).toEqual([0, 0, 1]);
    expect(outbox.waiting).toBe(3);

    sent.length = 0;
    vi.advanceTimersByTime(10 * 60_000);
    expect(sent, "the empty frame left before the dead letter was durable").toEqual([]);
    for (const done of whenBuried) done();
    expect(sent).toEqual([1]);
  });

  test("an acknowledgement that another has overtaken does not open or close the window", () => {
    const { outbox, tell } = rows();
    for (const text of ["a", "b", "c"]) tell(saying(text));
    outbox.release();
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 2, credit: 0 });
    outbox.onAck(RECEIVER, { stream: SENDER, upto: 1, credit: 32 });
    tell(saying("d"));
    sent.length = 0;
    outbox.release();
    expect(sent).toEqual([]);
  });
});

describe("an inbox", () => {
  function makeInbox(credit: () => number) {
    const acks: FrameAck[] = [];
    const applied: string[] = [];
    const inbox = new Inbox({
      self: "_42",
      reader: new MemoryRows(),
      apply: (_stream, { events }, _rows, onDurable) => {
        applied.push(...events.map(said));
        onDurable();
      },
      acknowledge: (ack) => acks.push(ack),
      credit,
    });
    const hear = (seq: number) => inbox.onFrame(SENDER, seq, { events: [saying(String(seq))] });
    return { inbox, acks, applied, hear };
  }

  test("a sender that was stopped is told once when the pressure is over", () => {
    let credit = 0;
    const { inbox, acks, hear } = makeInbox(() => credit);
    hear(1);
    expect(acks).toEqual([{ stream: SENDER, upto: 1, credit: 0 }]);
    inbox.reconsider();
    expect(acks).toHaveLength(1);
    credit = FRAME_WINDOW;
    inbox.reconsider();
    inbox.reconsider();
    expect(acks.slice(1)).toEqual([{ stream: SENDER, upto: 1, credit: FRAME_WINDOW }]);
  });

  test("frames beyond a gap are kept up to sixty-four; for what is farther it asks again", () => {
    const { acks, applied, hear } = makeInbox(() => FRAME_WINDOW);
    for (let seq = 2; seq <= 70; seq++) hear(seq);
    expect(applied).toEqual([]);
    expect(acks).toEqual(Array(6).fill({ stream: SENDER, upto: 0, credit: FRAME_WINDOW }));
    hear(1);
    expect(applied).toEqual(Array.from({ length: 64 }, (_, at) => String(at + 1)));
  });
});
