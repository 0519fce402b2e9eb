/**
 * The chain of back-pressure, link by link, with the real parts on a bus, a queue and a table in memory:
 *
 *     journal of the receiver stands still ─▶ no acknowledgements, then credit 0 ─▶ outbox full ─▶ results stay in the queue
 *     ─▶ the queue refuses ─▶ the ingestor gives jobs back ─▶ late results make polls rarer ─▶ and all of it drains
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryExchange } from "@tidings/bus";
import {
  addressesOf,
  busChild,
  FRAME_WINDOW,
  itemId,
  type PollJob,
  pollPart,
  QUEUES,
  readAck,
  shardOf,
} from "@tidings/protocol";
import { MemoryBroker, RefusedError } from "@tidings/queue";
import { Background, silentLog } from "@tidings/runtime";
import type { Item as TableItem } from "@tidings/store";
import { eventually, MemoryTable } from "@tidings/testkit";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { consumeResults } from "../services/avatar-host/src/results.ts";
import type { Avatar } from "../services/avatar-host/src/shard/avatar.ts";
import { AwakeAvatars } from "../services/avatar-host/src/shard/awake-avatars.ts";
import { Shard } from "../services/avatar-host/src/shard/shard.ts";
import type { Turn } from "../services/avatar-host/src/shard/turn.ts";
import { SourceAvatar } from "../services/avatar-host/src/source-avatar/source-avatar.ts";
import { StanzaRouter } from "../services/avatar-host/src/stanza-router.ts";
import { workOnPoll } from "../services/ingest-rss/src/poll.ts";

const SOURCE = "rss.rooms";
const USER = "bob";
const FEED = "https://feeds.example/rooms.xml";
const POLL_MS = 3_600_000;
const BOUNDS = { backlogChars: 5_000, outboxFrames: 40 };
const QUEUE_LENGTH = 10;
/** What a host takes from a queue ahead. */
const PREFETCH = 100;
const JOBS = 250;

/** A table in which the journal of one shard can stand still. */
class StandingTable extends MemoryTable {
  readonly #journal: string;
  #stands: PromiseWithResolvers<void> | null = null;

  constructor(journal: string) {
    super();
    this.#journal = journal;
  }

  stops(): void {
    this.#stands = Promise.withResolvers();
  }

  goesOn(): void {
    this.#stands?.resolve();
    this.#stands = null;
  }

  override async putIfAbsent(pk: string, sk: string, item: TableItem): Promise<boolean> {
    if (pk === this.#journal) await this.#stands?.promise;
    return super.putIfAbsent(pk, sk, item);
  }
}

/** Subscribes when it is called, and writes down what it is told. */
class Listener implements Avatar {
  readonly rowsHeld = 0;
  readonly isBusy = false;
  readonly #heard: string[];
  constructor(heard: string[]) {
    this.#heard = heard;
  }
  onCall(turn: Turn): void {
    turn.tell([SOURCE], { type: "subscribed", url: FEED });
  }
  onEvent(turn: Turn, _from: string, event: Parameters<Avatar["onEvent"]>[2]): void {
    if (event.type !== "notified") return;
    const { title } = event.notification;
    turn.put(`heard/${title}`, event.notification);
    turn.onDurable(() => this.#heard.push(title));
  }
  onPollResult(): void {}
  onReport(): void {}
  onAlarm(): void {}
  onContinue(): void {}
}

/** The real source avatar, of which is noted when it wants to poll next. */
class WatchedSource extends SourceAvatar {
  readonly nextPollsInMs: number[];
  constructor(nextPollsInMs: number[]) {
    super({ silo: "s1", pace: { minMs: POLL_MS, spread: () => 0 }, web: "web" });
    this.nextPollsInMs = nextPollsInMs;
  }
  override onPollResult(...[turn, result]: Parameters<SourceAvatar["onPollResult"]>): void {
    super.onPollResult(turn, result);
    this.nextPollsInMs.push((turn.alarmAt ?? turn.nowAt) - turn.nowAt);
  }
}

let folder = "";
const closers: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pressure-"));
});
afterEach(() => {
  for (const close of closers.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
  vi.useRealTimers();
});

async function makeChain() {
  const log = silentLog();
  const addresses = addressesOf("d");
  const table = new StandingTable(`J#s1#${shardOf(USER)}`);
  const broker = new MemoryBroker({ maxLength: QUEUE_LENGTH });
  const queue = broker.connect();
  const bus = new MemoryExchange().connect(addresses.silo);
  const shards = new Map<number, Shard>();
  const awake = new AwakeAvatars({ idleMs: 60_000, mostBytes: 100_000_000 });
  const router = new StanzaRouter({ addresses, bus, log, shard: (number) => shards.get(number) });
  const seen = {
    credits: [] as number[],
    heard: [] as string[],
    nextPollsInMs: [] as number[],
    refused: 0,
    givenBack: 0,
  };
  bus.onStanza((stanza) => {
    const child = busChild(stanza);
    if (child?.name === "ack") seen.credits.push(readAck(child).credit);
    router.route(stanza);
  });
  for (const number of [shardOf(SOURCE), shardOf(USER)]) {
    const shard = await Shard.open({
      host: "h1",
      table,
      silo: "s1",
      siloDomain: addresses.silo,
      shard: number,
      epoch: 1,
      path: join(folder, `${number}.db`),
      log,
      agents: addresses,
      web: addresses.web,
      awake,
      background: new Background(),
      bounds: BOUNDS,
      send: (stanza) => void bus.send(stanza),
      publishJob: () => {},
      createAvatar: (name) =>
        name === SOURCE ? new WatchedSource(seen.nextPollsInMs) : new Listener(seen.heard),
      onLost: () => expect.fail("a shard was lost"),
    });
    shards.set(number, shard);
    closers.push(() => shard.close());
    shard.serve();
  }
  const source = shards.get(shardOf(SOURCE)) as Shard;
  await consumeResults(queue, QUEUES.shard("s1", source.number), source, log);
  await ingestInto(broker, seen);
  const call = {
    name: "",
    op: null,
    authority: null,
    args: {},
    fromDomain: "",
    reply: () => {},
    refuse: () => {},
  };
  shards.get(shardOf(USER))?.onCall(USER, call);
  await eventually(() => expect(awake.count).toBe(2));
  return { table, broker, queue, source, seen };
}

/** An ingestor that finds two new items in each poll. */
async function ingestInto(broker: MemoryBroker, seen: { refused: number; givenBack: number }): Promise<void> {
  const queue = broker.connect();
  const at = (job: number, n: number) => ({ title: `${job}.${n}`, id: itemId(SOURCE, `${job}.${n}`) });
  const rest = { link: null, summary: "x".repeat(500), author: null, publishedAt: null };
  const publish = async (name: string, body: string) => {
    try {
      await queue.publish(name, body);
    } catch (error) {
      if (error instanceof RefusedError) seen.refused++;
      throw error;
    }
  };
  await queue.consume(QUEUES.poll(pollPart(FEED)), 1, (delivery) => {
    const number = Number((JSON.parse(delivery.body) as PollJob).job);
    const items = [at(number, 1), at(number, 2)].map((named) => ({ ...named, ...rest }));
    const validators = { etag: null, lastModified: null };
    const giveBack = () => {
      seen.givenBack++;
      delivery.giveBack();
    };
    void workOnPoll(
      { ...delivery, giveBack },
      {
        fetch: async () => ({ validators, permanentUrl: FEED, freshForMs: 0 }) as never,
        read: async () => ({ kind: "feed", title: "Rooms", items, hub: null }),
        askHub: async () => undefined,
        publish,
        now: Date.now,
        pause: () => new Promise((resolve) => setTimeout(resolve, 100)),
        log: silentLog(),
      },
    );
  });
}

test("a receiver that stands still stops the whole chain within bounds, and nothing is lost when it goes on", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const { table, queue, source, seen } = await makeChain();
  const job = (number: number): PollJob => ({
    job: String(number),
    source: SOURCE,
    silo: "s1",
    url: FEED,
    validators: { etag: null, lastModified: null },
  });
  await queue.publish(QUEUES.poll(pollPart(FEED)), JSON.stringify(job(0)));
  await eventually(() => expect(seen.nextPollsInMs).toEqual([POLL_MS]));

  table.stops();
  let asked = 0;
  /** Puts jobs on the queue, as it takes them, until `isEnough`. */
  const asksUntil = async (isEnough: () => boolean) => {
    while (!isEnough()) {
      try {
        await queue.publish(QUEUES.poll(pollPart(FEED)), JSON.stringify(job(asked + 1)));
        asked++;
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
  };
  await asksUntil(() => seen.givenBack > 0 || asked === JOBS);

  expect(source.isUnderPressure).toBe(true);
  expect(source.framesWaiting).toBeLessThanOrEqual(BOUNDS.outboxFrames + 1);
  expect(asked).toBeLessThanOrEqual(BOUNDS.outboxFrames + PREFETCH + 2 * QUEUE_LENGTH + 3);
  expect(seen.refused).toBeGreaterThan(0);
  expect(seen.heard).toEqual([]);

  vi.setSystemTime(Date.now() + 60_000);
  table.goesOn();
  await asksUntil(() => asked === JOBS);
  const all = Array.from({ length: JOBS }, (_, at) => [`${at + 1}.1`, `${at + 1}.2`]).flat();
  await eventually(() => expect(seen.heard).toHaveLength(all.length));

  expect(new Set(seen.heard)).toEqual(new Set(all));
  expect(seen.credits).toContain(0);
  expect(seen.credits.at(-1)).toBe(FRAME_WINDOW);
  expect(Math.max(...seen.nextPollsInMs)).toBeGreaterThanOrEqual(2 * POLL_MS);
  expect(seen.nextPollsInMs.at(-1)).toBe(POLL_MS);
  await eventually(() => expect(source.framesWaiting).toBe(0));
}, 30_000);
