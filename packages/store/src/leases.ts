/**
 * Who hosts, and who owns which shard. Leases are for liveness only: safety is the journal's fence.
 *
 *     H#  <host>    {inc, hb, place, unable?}   heartbeat; `inc` is new at every start of the host
 *     S#<silo>  <shard>   {host, inc, epoch}   host is empty after a release
 */
import type { Item, Table } from "./table.ts";

export interface Heartbeat {
  readonly host: string;
  readonly inc: string;
  /** Counts up; that it stands still says that the host is gone. */
  readonly hb: number;
  /** Machine and folder of the host, for people and to know an earlier life of the same host. */
  readonly place: string;
  /** False while the host cannot serve what it would take: no bus, or a disk that is full. Others do not count on it. */
  readonly isAble: boolean;
}

export interface Lease {
  readonly shard: number;
  /** Null when nobody owns the shard. */
  readonly owner: { readonly host: string; readonly inc: string } | null;
  readonly epoch: number;
}

export class Leases {
  readonly #table: Table;
  readonly #silo: string;

  constructor(table: Table, silo: string) {
    this.#table = table;
    this.#silo = silo;
  }

  /** The first heartbeat of an incarnation: it puts an earlier one of the same name out of office. */
  async enter(heartbeat: Heartbeat): Promise<void> {
    await this.#table.put("H#", heartbeat.host, itemOf(heartbeat));
  }

  /** A further heartbeat; false when another incarnation has entered under the host's name. */
  beat(heartbeat: Heartbeat): Promise<boolean> {
    return this.#table.replaceIf("H#", heartbeat.host, "inc", { S: heartbeat.inc }, itemOf(heartbeat));
  }

  /** Says that the incarnation `inc` of the host has stopped by itself; does nothing when another one has its name. */
  async leave(host: string, inc: string): Promise<void> {
    if ((await this.heartbeat(host))?.inc === inc) await this.#table.delete("H#", [host]);
  }

  async heartbeats(): Promise<Heartbeat[]> {
    const all: Heartbeat[] = [];
    for await (const item of this.#table.query("H#")) all.push(heartbeatOf(item));
    return all;
  }

  /** The heartbeat under a host's name, or null. */
  async heartbeat(host: string): Promise<Heartbeat | null> {
    const item = await this.#table.get("H#", host);
    return item === undefined ? null : heartbeatOf(item);
  }

  /** All leases of the silo that were ever taken. */
  async leases(): Promise<Lease[]> {
    const all: Lease[] = [];
    for await (const item of this.#table.query(`S#${this.#silo}`)) all.push(leaseOf(item));
    return all;
  }

  /**
   * Takes `shard` for a host with the epoch after `lease.epoch`, and above `floor`: the new epoch, or null when somebody was
   * faster.
   */
  async take(
    shard: number,
    lease: Lease | undefined,
    host: string,
    inc: string,
    floor = 0,
  ): Promise<number | null> {
    const epoch = Math.max(lease?.epoch ?? 0, floor) + 1;
    const expected = lease === undefined ? undefined : { N: String(lease.epoch) };
    const item: Item = { host: { S: host }, inc: { S: inc }, epoch: { N: String(epoch) } };
    const isTaken = await this.#table.replaceIf(`S#${this.#silo}`, String(shard), "epoch", expected, item);
    return isTaken ? epoch : null;
  }

  /** Gives `shard` back; does nothing when another epoch has it. */
  async clear(shard: number, epoch: number): Promise<void> {
    const held = { N: String(epoch) };
    await this.#table.replaceIf(`S#${this.#silo}`, String(shard), "epoch", held, { epoch: held });
  }
}

function itemOf({ inc, hb, place, isAble }: Heartbeat): Item {
  const item: Item = { inc: { S: inc }, hb: { N: String(hb) }, place: { S: place } };
  return isAble ? item : { ...item, unable: { BOOL: true } };
}

function heartbeatOf(item: Item): Heartbeat {
  const { sk, inc, hb, place, unable } = item;
  return {
    host: sk?.S ?? "",
    inc: inc?.S ?? "",
    hb: Number(hb?.N),
    place: place?.S ?? "",
    isAble: unable?.BOOL !== true,
  };
}

function leaseOf(item: Item): Lease {
  const host = item.host?.S;
  return {
    shard: Number(item.sk?.S),
    owner: host === undefined ? null : { host, inc: item.inc?.S ?? "" },
    epoch: Number(item.epoch?.N),
  };
}
