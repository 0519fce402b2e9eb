import {
  type AddressedEvent,
  type Ask,
  type Job,
  type Shard,
  shardLocalpart,
  shardOf,
} from "@tidings/protocol";
import type { Row } from "@tidings/store";
import type { Alarms } from "./alarms.ts";
import { forgottenOwner } from "./dead-letters.ts";
import { watchKey } from "./presence-round.ts";
import type { AgentDispatch, Turn } from "./turn.ts";
import { unfinishedRow } from "./unfinished.ts";
import type { Watchers } from "./watchers.ts";

/** What one stimulus has brought about so far: rows to write together, and effects for when they are durable. */
export class Commit {
  readonly rows: Row[] = [];
  /** Events for avatars of other shards. */
  readonly told: AddressedEvent[] = [];
  /** Events for avatars of this shard, which get their turns in this commit. */
  readonly toldHere: AddressedEvent[] = [];
  readonly dispatches: AgentDispatch[] = [];
  readonly asks: Ask[] = [];
  readonly jobs: Job[] = [];
  readonly onDurable: (() => void)[] = [];
  /** Avatars that have more to do afterwards. */
  readonly unfinished: string[] = [];
  /** The earliest alarm that was set, epoch milliseconds. */
  earliestAlarmAt: number | null = null;
  readonly #shard: Shard;
  readonly #alarms: Alarms;
  readonly #watchers: Watchers;

  constructor(shard: Shard, alarms: Alarms, watchers: Watchers) {
    this.#watchers = watchers;
    this.#shard = shard;
    this.#alarms = alarms;
  }

  /** Adds what a finished turn wants; returns the rows that it adds. */
  add(turn: Turn): Row[] {
    const rows = turn.rows();
    const change = turn.alarmChange;
    if (change !== null) {
      rows.push(...this.#alarms.rows(turn.avatar, change));
      if (change.to !== null) this.earliestAlarmAt = Math.min(change.to, this.earliestAlarmAt ?? change.to);
    }
    if (turn.watch !== null) {
      const value = turn.watch ? "1" : null;
      rows.push({ avatar: shardLocalpart(this.#shard), key: watchKey(turn.avatar), value });
    }
    rows.push(...forgottenOwner(shardLocalpart(this.#shard), turn.avatar, rows));
    this.rows.push(...rows);
    for (const event of turn.told) this.#tell(event);
    this.dispatches.push(...turn.dispatches);
    this.asks.push(...turn.asks);
    this.jobs.push(...turn.jobs);
    this.onDurable.push(...turn.effects);
    const told = this.#watchers.effectOf(turn.avatar, rows);
    if (told !== null) this.onDurable.push(told);
    if (turn.wantsAnother) {
      this.unfinished.push(turn.avatar);
      this.rows.push(unfinishedRow(shardLocalpart(this.#shard), turn.avatar, true));
    }
    return rows;
  }

  #tell({ from, to, event }: AddressedEvent): void {
    const here: string[] = [];
    const elsewhere: string[] = [];
    for (const name of to) (shardOf(name) === this.#shard ? here : elsewhere).push(name);
    if (here.length > 0) this.toldHere.push({ from, to: here, event });
    if (elsewhere.length > 0) this.told.push({ from, to: elsewhere, event });
  }
}
