/** A silo that is copied while frames are under way between its shards, and goes on from the copy. */
import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AvatarEvent,
  addressesOf,
  busChild,
  type Element,
  readAck,
  readFrame,
  shardOf,
} from "@tidings/protocol";
import { Background, silentLog } from "@tidings/runtime";
import { BackupError, backUp, checkLayout, Leases, restore } from "@tidings/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../../packages/testkit/src/eventually.ts";
import { MemoryTable } from "../../../../packages/testkit/src/memory-table.ts";
import type { Avatar, IncomingCall } from "./avatar.ts";
import { AwakeAvatars } from "./awake-avatars.ts";
import { Shard } from "./shard.ts";
import type { Turn } from "./turn.ts";

const SHARDS = 4;
const NAMES = Array.from({ length: SHARDS }, (_, shard) => nameIn(shard));

function nameIn(shard: number): string {
  for (let n = 0; ; n++) if (shardOf(`u${n}`) === shard) return `u${n}`;
}

/** Tells the avatar of the next shard a number, and passes on what it hears, twice around; it notes both. */
class Gossip implements Avatar {
  readonly rowsHeld = 0;
  readonly isBusy = false;
  readonly #next: string;
  constructor(shard: number) {
    this.#next = NAMES[(shard + 1) % SHARDS] as string;
  }
  onCall(turn: Turn, call: IncomingCall): void {
    if (call.name === "tell")
      this.#tell(turn, `${turn.avatar}:${(turn.get<string[]>("told") ?? []).length}:8`);
    const answer = { heard: turn.get("heard") ?? [], told: turn.get("told") ?? [] };
    turn.onDurable(() => call.reply(answer));
  }
  onEvent(turn: Turn, _from: string, event: AvatarEvent): void {
    if (event.type !== "subscribed") return;
    turn.put("heard", [...(turn.get<string[]>("heard") ?? []), event.url]);
    const [who, number, hops] = event.url.split(":");
    if (Number(hops) > 1) this.#tell(turn, `${who}:${number}:${Number(hops) - 1}`);
  }
  onAlarm(): void {}
  onContinue(): void {}
  onPollResult(): void {}
  onReport(): void {}

  #tell(turn: Turn, url: string): void {
    turn.put("told", [...(turn.get<string[]>("told") ?? []), url]);
    turn.tell([this.#next], { type: "subscribed", url });
  }
}

const log = silentLog();
let folder = "";
let open: Shard[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "back-up-"));
  open = [];
});
afterEach(() => {
  for (const shard of open) shard.close();
  rmSync(folder, { recursive: true, force: true });
});

/** All shards of a silo on `table`, each stanza under way for a moment. */
async function silo(table: MemoryTable, host: string): Promise<Shard[]> {
  await checkLayout(table);
  const leases = await new Leases(table, "s1").leases();
  const shards: Shard[] = [];
  for (let shard = 0; shard < SHARDS; shard++) {
    const epoch = await new Leases(table, "s1").take(
      shard,
      leases.find((lease) => lease.shard === shard),
      host,
      host,
    );
    shards[shard] = await Shard.open({
      host: "h1",
      table,
      silo: "s1",
      siloDomain: "s1.avatars.d",
      shard,
      epoch: epoch ?? 0,
      path: join(folder, `${host}-${shard}.db`),
      log,
      agents: addressesOf("d"),
      web: "web.agents.d",
      awake: new AwakeAvatars({ idleMs: 60_000, mostBytes: 100_000_000 }),
      background: new Background(),
      send: (stanza) => setTimeout(() => deliver(stanza, shard, shards), Math.random() * 4),
      publishJob: () => {},
      createAvatar: () => new Gossip(shard),
      onLost: (error) => expect.fail(error.message),
    });
  }
  open.push(...shards);
  for (const shard of shards) shard.serve();
  return shards;
}

function deliver(stanza: Element, from: number, shards: readonly Shard[]): void {
  const child = busChild(stanza);
  const to = shards[Number(/^_(\d+)@/.exec(stanza.attrs.to ?? "")?.[1])];
  if (child?.name === "frame") {
    const { seq, body } = readFrame(child);
    to?.inbox.onFrame(from, seq, body);
  } else if (child?.name === "ack") to?.outbox.onAck(from, readAck(child));
}

interface Notes {
  readonly heard: string[];
  readonly told: string[];
}

function ask(shards: readonly Shard[], shard: number, name = "look"): Promise<Notes> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const call = { name, op: null, authority: null, args: {}, fromDomain: "web.agents.d" };
  shards[shard]?.onCall(NAMES[shard] as string, { ...call, reply: resolve, refuse: reject });
  return promise as Promise<Notes>;
}

/** Resolves when each avatar has heard exactly what the one before has told, in order. */
async function agree(shards: readonly Shard[]): Promise<void> {
  await eventually(async () => {
    for (let shard = 0; shard < SHARDS; shard++) {
      const { told } = await ask(shards, shard);
      expect((await ask(shards, (shard + 1) % SHARDS)).heard).toEqual(told);
    }
  });
}

test("a silo goes on from a back-up that was made while frames were under way, and none is lost or doubled", async () => {
  const table = new MemoryTable();
  const shards = await silo(table, "h1");
  let told = 0;
  const gossip = setInterval(() => void ask(shards, told++ % SHARDS, "tell"), 1);
  await eventually(() => expect(told).toBeGreaterThan(50));
  const toldBefore = (await ask(shards, 0)).told;
  const slow = slowed(table);

  const manifest = await backUp({
    table: slow,
    silo: "s1",
    shards: SHARDS,
    folder: join(folder, "b"),
    log,
    nowAt: Date.now(),
  });
  clearInterval(gossip);

  for (const { file } of manifest.shards) expect(statSync(join(folder, "b", file)).mode & 0o777).toBe(0o600);
  const elsewhere = new MemoryTable();
  await restore({ table: elsewhere, folder: join(folder, "b"), log });
  const restored = await silo(elsewhere, "h2");
  await agree(restored);
  expect((await ask(restored, 0)).told.slice(0, toldBefore.length)).toEqual(toldBefore);
  await ask(restored, 0, "tell");
  await agree(restored);
  await agree(shards);
});

test("a back-up that is cut short, and a table that is in use, are refused before anything is written", async () => {
  const table = new MemoryTable();
  const shards = await silo(table, "h1");
  await ask(shards, 0, "tell");
  const target = join(folder, "b");
  const options = { table, silo: "s1", shards: SHARDS, folder: target, log, nowAt: Date.now() };
  const { shards: entries } = await backUp(options);

  await expect(backUp(options)).rejects.toThrow(/not empty; name a new folder/);
  await expect(restore({ table, folder: target, log })).rejects.toThrow(/already holds silo s1/);
  truncateSync(join(target, entries[0]?.file ?? ""), 8_192);
  const elsewhere = new MemoryTable();
  await expect(restore({ table: elsewhere, folder: target, log })).rejects.toBeInstanceOf(BackupError);
  expect(await Array.fromAsync(elsewhere.scan(""))).toEqual([]);
});

test("a restore that was broken off keeps hosts out, and can be repeated", async () => {
  const table = new MemoryTable();
  const shards = await silo(table, "h1");
  for (let shard = 0; shard < SHARDS; shard++) await ask(shards, shard, "tell");
  await agree(shards);
  const target = join(folder, "b");
  await backUp({ table, silo: "s1", shards: SHARDS, folder: target, log, nowAt: Date.now() });
  const elsewhere = new MemoryTable();
  const put = elsewhere.put.bind(elsewhere);
  let puts = 0;
  elsewhere.put = async (...args) => {
    if (++puts === 8) throw new Error("broken off");
    await put(...args);
  };

  await expect(restore({ table: elsewhere, folder: target, log })).rejects.toThrow("broken off");
  await expect(checkLayout(elsewhere)).rejects.toThrow(/bin\/tidings restore/);
  await restore({ table: elsewhere, folder: target, log });

  const restored = await silo(elsewhere, "h2");
  await agree(restored);
  await ask(restored, 0, "tell");
  const again = join(folder, "again");
  await backUp({ table: elsewhere, silo: "s1", shards: SHARDS, folder: again, log, nowAt: Date.now() });
  const third = new MemoryTable();
  await restore({ table: third, folder: again, log });
  const last = await silo(third, "h3");
  await agree(last);
  expect((await ask(last, 0)).told.length).toBeGreaterThan(1);
});

/** The same table over a slow line, so that a silo goes on while it is read. */
function slowed(table: MemoryTable): MemoryTable {
  return new Proxy(table, {
    get: (target, name) => {
      const member = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      if (name !== "query") return member.bind(target);
      return async function* (...args: Parameters<MemoryTable["query"]>) {
        await new Promise((resolve) => setTimeout(resolve, 15));
        yield* target.query(...args);
      };
    },
  });
}
