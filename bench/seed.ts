/**
 * Fills the files of a new installation's shards before its hosts start, because a hundred thousand sign-ups over the bus
 * take minutes. The rows are the avatars' own: one user and one source of each kind go through their turns, and the user's
 * rows are repeated under other names. A file at the beginning of its journal is taken as it is by whoever owns the shard.
 */
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  type AvatarEvent,
  addressesOf,
  FIRST_SILO,
  feedSource,
  type PollResult,
  SHARDS,
  type Shard,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { type Entry, type Row, withPrefix } from "@tidings/store";
import { LocalFile } from "../packages/store/src/local-file.ts";
import { Rehearsal } from "../services/avatar-host/src/rehearsal.ts";
import { agentKey } from "../services/avatar-host/src/shard/agents.ts";
import { watchKey } from "../services/avatar-host/src/shard/presence-round.ts";
import { SourceAvatar } from "../services/avatar-host/src/source-avatar/source-avatar.ts";
import { SESSION } from "../services/avatar-host/src/user-avatar/rows.ts";
import { UserAvatar } from "../services/avatar-host/src/user-avatar/user-avatar.ts";
import { itemOf } from "./source.ts";

/** Stands for the user's name in the rows that are repeated; no text of a row holds it otherwise. */
const TEMPLATE = "the-template-user";
const ROWS_AT_ONCE = 50_000;
/** The life of the agent under which present users are present. */
export const SEEDED_AGENT_EPOCH = 1;

export interface SeededUsers {
  readonly names: readonly string[];
  /** Addresses of the feeds that all of them follow. */
  readonly follow: readonly string[];
  /** Whether they have a client online at their own address. */
  readonly arePresent: boolean;
  /** Items of each feed that their histories hold; default none. They wait for a client while nobody is present. */
  readonly items?: number;
  /** Domain of their own addresses; default: the users cluster. */
  readonly at?: string;
}

interface Repeated {
  readonly byShard: ReadonlyMap<Shard, readonly string[]>;
  readonly entries: readonly Entry[];
  readonly arePresent: boolean;
}

export class Seed {
  /** A secret that opens a session of every seeded user. */
  session = "";
  #sessionRow: Row | null = null;
  readonly #domain: string;
  readonly #repeated: Repeated[] = [];
  readonly #sources = new Map<string, Rehearsal>();

  constructor(domain: string) {
    this.#domain = domain;
  }

  /** Adds users, signed up and subscribed. All users of a seed are added with one template, so they share a session's secret. */
  async add({ names, follow, arePresent, items = 0, at = this.#domain }: SeededUsers): Promise<void> {
    const entries = await this.#signUp({ follow, arePresent, items, at });
    this.#repeated.push({ byShard: Map.groupBy(names, shardOf), entries, arePresent });
    for (const url of follow) this.#subscribe(url, names);
  }

  /** Writes the file of every shard for each of `hosts`, as who will own it is not known before; `onShard` hears of each. */
  write(home: string, hosts: readonly string[], onShard: (shard: Shard) => void = () => {}): void {
    const [first = "h1", ...others] = hosts;
    for (const host of hosts) mkdirSync(join(home, "hosts", host), { recursive: true, mode: 0o700 });
    for (let shard = 0; shard < SHARDS; shard++) {
      const path = shardPath(home, first, shard);
      const file = LocalFile.open(path, `${FIRST_SILO}#${shard}`, silentLog());
      for (const rows of batches(this.rows(shard))) file.apply(rows, { epoch: 0, seq: 0 });
      file.close();
      for (const host of others) copyFileSync(path, shardPath(home, host, shard));
      onShard(shard);
    }
  }

  /** The rows of a shard, in order within each avatar. */
  *rows(shard: Shard): Generator<Row> {
    const self = shardLocalpart(shard);
    yield { avatar: self, key: agentKey("im"), value: String(SEEDED_AGENT_EPOCH) };
    for (const { byShard, entries, arePresent } of this.#repeated) {
      for (const name of byShard.get(shard) ?? []) {
        if (arePresent) yield { avatar: self, key: watchKey(name), value: "1" };
        for (const { key, value } of entries)
          yield { avatar: name, key, value: value.replaceAll(TEMPLATE, name) };
      }
    }
    for (const [source, { rows }] of this.#sources) {
      if (shardOf(source) !== shard) continue;
      for (const { key, value } of rows.list(source, ALL)) yield { avatar: source, key, value };
    }
  }

  async #signUp({
    follow,
    arePresent: isPresent,
    items,
    at,
  }: Required<Omit<SeededUsers, "names">>): Promise<Entry[]> {
    const addresses = { ...addressesOf(this.#domain), users: at };
    const user = new Rehearsal(
      TEMPLATE,
      () => new UserAvatar(addresses, { epochOf: () => SEEDED_AGENT_EPOCH, connection: () => 1 }),
    );
    const call = (name: string, args: object, session: string | null = null) =>
      user.isCalled({
        name,
        args,
        fromDomain: addresses.web,
        authority: session === null ? null : { session },
      });
    user.nowAt = Date.now();
    await call("beginSignUp", {});
    await call("finishSignUp", {});
    if (this.#sessionRow === null) await this.#openSession(user, call);
    else user.rows.apply([this.#sessionRow]);
    for (const url of follow) {
      const subscribed = call("subscribe", { url, title: "Bench", priority: null }, this.session);
      user.hears(feedSource(url), { type: "sourceChanged", state: "active", title: "Bench", problem: null });
      await subscribed;
      for (let seq = 1; seq <= items; seq++) user.hears(feedSource(url), notifiedOf(feedSource(url), seq));
    }
    if (isPresent) user.getsReport(presenceOf(`${TEMPLATE}@${addresses.users}`), SEEDED_AGENT_EPOCH);
    return user.rows.list(TEMPLATE, ALL);
  }

  async #openSession(user: Rehearsal, call: (name: string, args: object) => Promise<unknown>): Promise<void> {
    this.session = ((await call("openSession", { label: "bench" })) as { session: string }).session;
    const [row] = user.rows.list(TEMPLATE, withPrefix(SESSION, { limit: 1 }));
    if (row !== undefined) this.#sessionRow = { avatar: TEMPLATE, ...row };
  }

  #subscribe(url: string, names: readonly string[]): void {
    const source = feedSource(url);
    const settings = { silo: FIRST_SILO, pace: { minMs: 86_400_000 }, web: "web" };
    const rehearsal = this.#sources.get(source) ?? new Rehearsal(source, () => new SourceAvatar(settings));
    for (const [at, name] of names.entries()) {
      rehearsal.hears(name, { type: "subscribed", url });
      if (at === 0 && !this.#sources.has(source)) rehearsal.getsResult(baselineOf(source));
    }
    this.#sources.set(source, rehearsal);
  }
}

/** Path of a shard's file at a host. */
export function shardPath(home: string, host: string, shard: Shard): string {
  return join(home, "hosts", host, `${FIRST_SILO}-${shard}.db`);
}

const ALL = { from: "", to: "\uffff" };

function notifiedOf(source: string, seq: number): AvatarEvent {
  return {
    type: "notified",
    notification: { ...itemOf(source, seq), source, seq, receivedAt: Date.now() },
  };
}

function presenceOf(address: string) {
  return {
    kind: "presence",
    user: TEMPLATE,
    address,
    resource: "bench",
    show: "available",
    priority: 0,
    idleSinceAt: null,
    order: 1,
  } as const;
}

function baselineOf(source: string): PollResult {
  return {
    job: "seed",
    source,
    fetchedAt: Date.now(),
    outcome: "items",
    part: 1,
    parts: 1,
    title: "Bench",
    validators: { etag: null, lastModified: null },
    items: [],
    failure: null,
  };
}

function* batches(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    if (batch.push(row) < ROWS_AT_ONCE) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}
