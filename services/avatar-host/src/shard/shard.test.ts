import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AvatarEvent,
  type AvatarView,
  addressesOf,
  type DeadLetterView,
  type Dispatch,
  type Element,
  type Report,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import { Background, silentLog } from "@tidings/runtime";
import { withPrefix } from "@tidings/store";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LocalFile } from "../../../../packages/store/src/local-file.ts";
import { eventually } from "../../../../packages/testkit/src/eventually.ts";
import { MemoryTable } from "../../../../packages/testkit/src/memory-table.ts";
import type { Avatar, IncomingCall } from "./avatar.ts";
import { AwakeAvatars } from "./awake-avatars.ts";
import { Shard } from "./shard.ts";
import { SHARD_BOUNDS, type ShardBounds } from "./shard-options.ts";
import type { Turn } from "./turn.ts";

const SHARD = 7;
const BOUNDS = { idleMs: 60_000, mostBytes: 1_000_000_000 };

function nameIn(shard: number, prefix: string): string {
  for (let n = 0; ; n++) if (shardOf(`${prefix}${n}`) === shard) return `${prefix}${n}`;
}

const teller = nameIn(SHARD, "teller");
const listener = nameIn(SHARD, "listener");
const stranger = nameIn(SHARD + 1, "stranger");

interface Args {
  readonly to?: string[];
  readonly texts?: string[];
  readonly steps?: number;
  readonly afterMs?: number;
}

/** Writes down each event it is told; a call makes it tell `args.to` what `args.texts` say, or do its work in steps. */
class Recorder implements Avatar {
  readonly rowsHeld = 0;
  isBusy = false;
  onEvent(turn: Turn, _from: string, event: AvatarEvent): void {
    if (event.type !== "subscribed" && isConfused) throw new Error(`cannot make anything of ${event.type}`);
    const text = event.type === "subscribed" ? event.url : event.type;
    turn.put("heard", [...(turn.get<string[]>("heard") ?? []), text]);
  }
  onCall(turn: Turn, call: IncomingCall): void {
    const { to, texts, steps, afterMs } = call.args as Args;
    for (const url of texts ?? []) turn.tell(to ?? [], { type: "subscribed", url });
    if (call.name === "confuse") turn.tell(to ?? [], { type: "unsubscribed" });
    if (call.name === "watch") turn.watch = true;
    if (call.name === "fail") throw new Error("no");
    if (call.name === "alarm") turn.setAlarm(turn.nowAt + (afterMs ?? 0));
    if (call.name === "erase") for (const { key } of turn.list(withPrefix(""))) turn.delete(key);
    if (call.name === "dispatch") turn.dispatches.push({ channel: "im", dispatch: dispatchOf("early") });
    if (call.name === "note") turn.put("noted", turn.nowAt);
    if (steps !== undefined) turn.put("steps", steps);
    turn.wantsAnother = steps !== undefined;
    const answer =
      call.name === "steps" || call.name === "rang" ? turn.get(call.name) : (turn.get("heard") ?? []);
    turn.onDurable(() => call.reply(answer));
  }
  onContinue(turn: Turn): void {
    const steps = (turn.get<number>("steps") ?? 0) - 1;
    turn.put("steps", steps);
    turn.wantsAnother = steps > 0;
  }
  onAlarm(turn: Turn): void {
    turn.put("rang", (turn.get<number>("rang") ?? 0) + 1);
  }
  onTakenOver(turn: Turn): void {
    turn.put("heard", ["taken over"]);
  }
  onPollResult(): void {}
  onReport(turn: Turn, report: Report): void {
    if (report.kind === "presence")
      turn.dispatches.push({ channel: "im", dispatch: dispatchOf("answer to presence") });
    turn.put("heard", [...(turn.get<string[]>("heard") ?? []), report.kind]);
  }
}

function dispatchOf(title: string): Dispatch {
  const rest = { link: null, summary: null, author: null, publishedAt: null, receivedAt: 1 };
  const notification = { id: "0".repeat(32), title, source: "rss.1", seq: 1, ...rest };
  const about = { user: listener, destination: "im", address: "a@d", attempt: 1 };
  return { ...about, sourceTitle: null, heldSinceAt: null, notification };
}

const log = silentLog();
/** Whether a Recorder cannot make anything of some events. */
let isConfused = true;
let folder = "";
let table = new MemoryTable();
let sent: Element[] = [];
let shards: Shard[] = [];
let awake = new AwakeAvatars(BOUNDS);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "shard-"));
  table = new MemoryTable();
  sent = [];
  awake = new AwakeAvatars(BOUNDS);
  isConfused = true;
});
afterEach(() => {
  for (const shard of shards) shard.close();
  shards = [];
  rmSync(folder, { recursive: true, force: true });
  vi.useRealTimers();
});

async function open(
  epoch: number,
  host = "h1",
  onLost: (error: Error) => void = () => expect.fail("lost"),
  bounds: ShardBounds = SHARD_BOUNDS,
): Promise<Shard> {
  const shard = await Shard.open({
    host: "h1",
    table,
    silo: "s1",
    siloDomain: "s1.avatars.d",
    shard: SHARD,
    epoch,
    path: join(folder, `${host}.db`),
    log,
    agents: addressesOf("d"),
    awake,
    background: new Background(),
    web: "web.agents.d",
    checkpointAfterMs: 50,
    bounds,
    send: (stanza) => sent.push(stanza),
    publishJob: () => {},
    createAvatar: () => new Recorder(),
    onLost,
  });
  shards.push(shard);
  return shard;
}

/** Calls an avatar and resolves with its answer, when the commit is durable. */
function ask(
  shard: Shard,
  avatar: string,
  name = "tell",
  args: Record<string, unknown> = {},
): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  shard.onCall(avatar, {
    name,
    op: null,
    authority: null,
    args,
    fromDomain: "web.agents.d",
    reply: resolve,
    refuse: reject,
  });
  return promise;
}

/** Brings everything into the checkpoints, and loses the host. */
async function moveToAnotherHost(from: Shard, epoch: number): Promise<Shard> {
  vi.useFakeTimers({ toFake: ["Date"] });
  await ask(from, nameIn(SHARD, "clock"), "note");
  const last = (await Array.fromAsync(table.query(`J#s1#${SHARD}`))).at(-1);
  await eventually(async () =>
    expect(Number((await table.get(`C#s1#${SHARD}`, "#position"))?.seq?.N)).toBe(Number(last?.sk?.S)),
  );
  from.close();
  return await open(epoch, "another");
}

test("an avatar of the same shard hears within the commit that told it", async () => {
  const shard = await open(1);
  shard.serve();
  await ask(shard, teller, "tell", { to: [listener], texts: ["a", "b"] });
  expect(await ask(shard, listener)).toEqual(["a", "b"]);
  expect(sent).toEqual([]);
});

test("an avatar whose rows are still in the checkpoints hears all that it is told, in order, after it was woken", async () => {
  const first = await open(1);
  first.serve();
  await ask(first, teller, "tell", { to: [listener], texts: ["a"] });
  const second = await moveToAnotherHost(first, 2);
  second.serve();

  await ask(second, teller, "tell", { to: [listener], texts: ["b"] });
  await ask(second, teller, "tell", { to: [listener], texts: ["c", "d"] });

  await eventually(async () => expect(await ask(second, listener)).toEqual(["a", "b", "c", "d"]));
});

test("what waited for a sleeping avatar when the host died is told by the next one, once and in order", async () => {
  const first = await open(1);
  first.serve();
  await ask(first, teller, "tell", { to: [listener], texts: ["a"] });
  const second = await moveToAnotherHost(first, 2);
  second.serve();
  await ask(second, teller);
  const reading = vi.spyOn(table, "query").mockImplementation(() => {
    throw new Error("the checkpoints cannot be read");
  });
  await ask(second, teller, "tell", { to: [listener], texts: ["b", "c"] });
  expect(reading).toHaveBeenCalled();
  reading.mockRestore();
  second.close();

  const third = await open(3, "another");
  third.serve();
  await ask(third, teller, "tell", { to: [listener], texts: ["d"] });
  await eventually(async () => expect(await ask(third, listener)).toEqual(["a", "b", "c", "d"]));
});

test("work in steps that a host left unfinished is finished by the next one", async () => {
  const first = await open(1);
  first.serve();
  await ask(first, teller, "work", { steps: 5 });
  first.close();

  const second = await open(2);
  second.serve();

  await eventually(async () => expect(await ask(second, teller, "steps")).toBe(0));
});

test("a shard that is given away in the middle of work takes nothing more and loses nothing", async () => {
  const onLost = vi.fn();
  const shard = await open(1, "h1", onLost);
  shard.serve();
  await ask(shard, teller, "work", { steps: 1_000_000 });
  await shard.release();
  shard.onCall(listener, {
    name: "tell",
    op: null,
    authority: null,
    args: {},
    fromDomain: "web.agents.d",
    reply: () => expect.fail("answered"),
    refuse: () => expect.fail("refused"),
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(onLost).not.toHaveBeenCalled();
});

test("an event that its avatar cannot take becomes a dead letter and does not undo the commit", async () => {
  const shard = await open(1);
  shard.serve();
  await ask(shard, teller, "confuse", { to: [listener], texts: ["before"] });
  expect(await ask(shard, listener)).toEqual(["before"]);
});

/** The credits that shard 9 was told so far. */
function creditsTold(): string[] {
  const acks = sent.flatMap((stanza) => stanza.getChild("ack") ?? []);
  return acks.map(({ attrs }) => attrs.credit);
}

const aFrame = {
  events: [{ from: stranger, to: [listener], event: { type: "subscribed", url: "x" } as const }],
};

test("a sender that was stopped because frames wait is told to go on when they have been acknowledged", async () => {
  const shard = await open(1, "h1", undefined, { ...SHARD_BOUNDS, outboxFrames: 0 });
  shard.serve();
  await ask(shard, teller, "tell", { to: [stranger], texts: ["a"] });
  shard.inbox.onFrame(9, 1, aFrame);
  await eventually(() => expect(creditsTold()).toEqual(["0"]));
  shard.outbox.onAck(SHARD + 1, { stream: SHARD, upto: 1, credit: 32 });
  expect(creditsTold()).toEqual(["0", "32"]);
});

test("a sender that was stopped because the journal is slow is told to go on when it has caught up", async () => {
  const shard = await open(1, "h1", undefined, { ...SHARD_BOUNDS, backlogChars: 0 });
  shard.serve();
  const slow = Promise.withResolvers<void>();
  const put = table.putIfAbsent.bind(table);
  const putting = vi.spyOn(table, "putIfAbsent").mockImplementationOnce(async (...item) => {
    await slow.promise;
    return put(...item);
  });
  shard.inbox.onFrame(9, 1, aFrame);
  await eventually(() => expect(putting).toHaveBeenCalled());
  const more = ask(shard, teller, "tell", { to: [listener], texts: ["more to write"] });
  slow.resolve();
  await more;
  expect(creditsTold()).toEqual(["0", "32"]);
});

test("an operator sees how much of what an avatar holds, and of no other shard's", async () => {
  const shard = await open(1);
  const name = nameIn(SHARD, "seen");
  const show = (avatar: string) => ask(shard, `_${SHARD}`, "showAvatar", { avatar });
  await expect(show(name)).rejects.toMatchObject({ condition: "item-not-found" });
  await ask(shard, name, "note");
  expect(await show(name)).toMatchObject({ avatar: name, shard: SHARD, epoch: 1, host: "h1", isAwake: true });
  const { rows, kinds } = (await show(name)) as AvatarView;
  expect(kinds.reduce((sum, kind) => sum + kind.rows, 0)).toBe(rows);
  await expect(show(nameIn(SHARD + 1, "seen"))).rejects.toMatchObject({ condition: "item-not-found" });
});

async function deadLetters(shard: Shard, args = {}): Promise<DeadLetterView[]> {
  const answer = await ask(shard, `_${SHARD}`, "deadLetters", { after: null, limit: 50, ...args });
  return (answer as { items: DeadLetterView[] }).items;
}

test("a dead letter is listed with what it says, replayed once, and then gone, also on the next host", async () => {
  const first = await open(1);
  first.serve();
  await ask(first, teller, "confuse", { to: [listener] });
  const shard = await moveToAnotherHost(first, 2);
  shard.serve();
  const [letter] = await deadLetters(shard);
  expect(letter).toMatchObject({
    owner: listener,
    kind: "event",
    error: "Error: cannot make anything of unsubscribed",
  });
  const id = letter?.id ?? "";

  await expect(ask(shard, `_${SHARD}`, "replayDeadLetter", { id })).rejects.toThrow("still cannot be taken");
  expect(await deadLetters(shard)).toHaveLength(1);

  isConfused = false;
  await ask(shard, `_${SHARD}`, "replayDeadLetter", { id });
  await ask(shard, `_${SHARD}`, "replayDeadLetter", { id });
  expect(await ask(shard, listener)).toEqual(["unsubscribed"]);
  expect(await deadLetters(shard)).toEqual([]);
  const unknown = ask(shard, `_${SHARD}`, "replayDeadLetter", { id: `${listener}~1-000` });
  await expect(unknown).rejects.toThrow("no such dead letter");
});

test("dead letters come page by page, a hundred of an avatar are kept, and nobody but web-api may see them", async () => {
  const shard = await open(1);
  shard.serve();
  const other = nameIn(SHARD, "other");
  for (let n = 0; n < 105; n++) await ask(shard, teller, "confuse", { to: [listener] });
  await ask(shard, teller, "confuse", { to: [other] });
  const seen: DeadLetterView[] = [];
  for (
    let page = await deadLetters(shard);
    page.length > 0;
    page = await deadLetters(shard, { after: seen.at(-1)?.id })
  )
    seen.push(...page);
  expect(new Set(seen.map(({ id }) => id)).size).toBe(101);
  expect(seen.map(({ owner }) => owner)).toEqual([...Array(100).fill(listener), other]);

  const refuse = vi.fn();
  const call = { name: "deadLetters", op: null, authority: null, args: { after: null, limit: 5 } };
  shard.onCall(`_${SHARD}`, {
    ...call,
    fromDomain: "im.agents.d",
    reply: () => expect.fail("answered"),
    refuse,
  });
  expect(refuse).toHaveBeenCalledWith(expect.objectContaining({ condition: "forbidden" }));
});

test("an avatar that is erased takes its dead letters along, and hides nobody else's from a short page", async () => {
  const shard = await open(1);
  shard.serve();
  const others = [nameIn(SHARD, "one"), nameIn(SHARD, "two"), nameIn(SHARD, "zoe")];
  for (const to of others) await ask(shard, teller, "confuse", { to: [to] });
  for (const name of others.slice(0, 2)) await ask(shard, name, "erase");
  const page = await deadLetters(shard, { limit: 1 });
  expect(page.map(({ owner }) => owner)).toEqual([others[2]]);
});

test("what was for another shard and nobody took for seven days is a dead letter, and leaves again when it is replayed", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "clearTimeout"] });
  const shard = await open(1);
  shard.serve();
  await ask(shard, teller, "tell", { to: [stranger], texts: ["a"] });
  await vi.advanceTimersByTimeAsync(7 * 24 * 3_600_000 + 120_000);
  vi.useRealTimers();
  const [letter] = await deadLetters(shard);
  expect(letter).toMatchObject({ owner: `_${SHARD}`, kind: "frame" });
  sent = [];
  await ask(shard, `_${SHARD}`, "replayDeadLetter", { id: letter?.id });
  shard.outbox.onAck(SHARD + 1, { stream: SHARD, upto: 1, credit: 32 });
  await eventually(() => expect(sent.at(-1)?.attrs.id).toBe(`f:${SHARD}:${SHARD + 1}:2`));
  expect(sent.at(-1)?.toString()).toContain("subscribed");
  expect(await deadLetters(shard)).toEqual([]);
});

test("a call that fails is refused and changes nothing", async () => {
  const shard = await open(1);
  shard.serve();
  await expect(ask(shard, teller, "fail", { to: [listener], texts: ["never"] })).rejects.toThrow("no");
  expect(await ask(shard, listener)).toEqual([]);
});

test("events for other shards leave as frames, and again when the shard is served again", async () => {
  const shard = await open(1);
  shard.serve();
  await ask(shard, teller, "tell", { to: [stranger], texts: ["a"] });
  await eventually(() => expect(sent).toHaveLength(1));
  shard.serve();
  expect(sent.map(({ attrs }) => attrs.id)).toEqual([
    `f:${SHARD}:${SHARD + 1}:1`,
    `f:${SHARD}:${SHARD + 1}:1`,
  ]);
});

test("who waits for presence asks again when the shard is served again: an ask may have died with the connection", async () => {
  const shard = await open(1);
  shard.serve();
  await ask(shard, listener, "watch");
  expect(await ask(shard, listener)).toEqual([]);
  shard.serve();
  await eventually(async () => expect(await ask(shard, listener)).toEqual(["agentUp"]));
});

const onDelivery: Report = {
  kind: "delivery",
  user: listener,
  notification: "n",
  destination: "im",
  attempt: 1,
  state: "received",
  condition: null,
  mayRetry: false,
  at: 1,
};
const onPresence: Report = {
  kind: "presence",
  user: listener,
  address: "a@d",
  resource: "phone",
  show: "available",
  priority: 0,
  idleSinceAt: null,
  order: 1,
};

test("of an agent's earlier life presence is void, and what became of a delivery counts", async () => {
  const shard = await open(1);
  shard.serve();
  shard.onReports("im", "new", { agentEpoch: 5, reports: [{ kind: "agentUp" }] });
  shard.onReports("im", "old", { agentEpoch: 4, reports: [onPresence, onDelivery] });
  expect(await ask(shard, listener)).toEqual(["delivery"]);
  await eventually(() => expect(sent).toHaveLength(2));
  expect(sent[1]?.getChild("reported")?.attrs).toMatchObject({ id: "old", epoch: "5" });
});

test("what was decided before a new life of the agent leaves before that is acknowledged, and what came of it afterwards", async () => {
  const shard = await open(1);
  shard.serve();
  void ask(shard, listener, "dispatch");
  shard.onReports("im", "new", { agentEpoch: 5, reports: [{ kind: "agentUp" }, onPresence] });
  await eventually(() => expect(sent).toHaveLength(3));
  const said = sent.map((stanza) => /early|answer to presence|<reported/.exec(stanza.toString())?.[0]);
  expect(said).toEqual(["early", "<reported", "answer to presence"]);
});

test("an agent's life that waited for a sleeping avatar does not count against a later one", async () => {
  const first = await open(1);
  first.serve();
  await ask(first, listener, "tell");
  const second = await moveToAnotherHost(first, 2);
  second.serve();
  second.onReports("im", "a", { agentEpoch: 4, reports: [onPresence] });
  second.onReports("im", "b", { agentEpoch: 5, reports: [{ kind: "agentUp" }] });
  await eventually(() => expect(sent.filter((stanza) => stanza.getChild("reported"))).toHaveLength(2));
  expect(second.agents.epochOf("im")).toBe(5);
});

test("when an avatar falls asleep its memory goes and its rows stay, and the next stanza wakes it", async () => {
  const shard = await open(1);
  shard.serve();
  await ask(shard, teller, "tell", { to: [listener], texts: ["a"] });
  expect(awake.count).toBe(2);
  awake.passivate(performance.now() + BOUNDS.idleMs);
  expect(awake.count).toBe(0);
  expect(await ask(shard, listener)).toEqual(["a"]);
  expect(awake.count).toBe(1);
});

test("nothing of a shard is awake any more when it has been given away", async () => {
  const shard = await open(1);
  shard.serve();
  await ask(shard, teller, "tell", { to: [listener], texts: ["a"] });
  await shard.release();
  expect(awake.count).toBe(0);
  expect(awake.bytes).toBe(0);
});

test("the alarm of an avatar that sleeps rings after the shard was taken over by a host without its file", async () => {
  const first = await open(1);
  first.serve();
  await ask(first, listener, "alarm", { afterMs: 120_000 });
  const second = await moveToAnotherHost(first, 2);
  vi.setSystemTime(Date.now() + 120_000);
  second.serve();
  await eventually(async () => expect(await ask(second, listener, "rang")).toBe(1));
});

test("a source whose job may be out hears that its shard has a new owner, and soon", async () => {
  const source = nameIn(SHARD, "rss.");
  const first = await open(1);
  first.serve();
  for (const name of [source, listener]) await ask(first, name, "alarm", { afterMs: 60_000 });
  first.close();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const second = await open(2);
  second.serve();
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  expect(await ask(second, source)).toEqual(["taken over"]);
  expect(await ask(second, listener)).toEqual([]);
});

test("a hundred thousand alarms that are not due cost a shard one timer and wake nobody", async () => {
  const dueAt = Date.now() + 3_600_000;
  const file = LocalFile.open(join(folder, "h1.db"), `s1#${SHARD}`, silentLog());
  const rows = Array.from({ length: 100_000 }, (_, at) => ({
    avatar: shardLocalpart(SHARD),
    key: `a/${dueAt + at}/sleeper${at}`,
    value: "1",
  }));
  file.apply(rows, { epoch: 0, seq: 0 });
  file.close();
  const shard = await open(1);
  const timers = vi.spyOn(globalThis, "setTimeout");
  shard.serve();
  expect(timers).toHaveBeenCalledTimes(1);
  expect(awake.count).toBe(0);
  timers.mockRestore();
});
