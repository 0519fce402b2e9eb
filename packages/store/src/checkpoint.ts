/**
 * The rows themselves in DynamoDB, written behind the journal: what a shard is rebuilt from, avatar by avatar, on a host
 * that has no file of it. Each row carries the journal sequence of its commit and is written only over a lower one, so a
 * deposed owner's late write changes nothing; for the same reason a deleted row stays as a tombstone.
 *
 *     C#<silo>#<shard>            #position   {seq, epoch}   the journal up to seq is in the checkpoints
 *     C#<silo>#<shard>#<avatar>   <key>       {seq, value?}
 */
import type { Position } from "./protocol/record.ts";
import type { Entry, Row } from "./rows.ts";
import type { Item, Table } from "./table.ts";

export class Checkpoint {
  readonly #table: Table;
  readonly #pk: string;

  constructor(table: Table, silo: string, shard: number) {
    this.#table = table;
    this.#pk = `C#${silo}#${shard}`;
  }

  /** Up to where the journal is in the checkpoints; zeros when nothing is. */
  async position(): Promise<Position> {
    const item = await this.#table.get(this.#pk, "#position");
    return { seq: Number(item?.seq?.N ?? 0), epoch: Number(item?.epoch?.N ?? 0) };
  }

  /** Writes rows as of `seq`; an older write of the same row never replaces them. */
  async write(row: Row, seq: number): Promise<void> {
    const item: Item = { seq: { N: String(seq) } };
    if (row.value !== null) item.value = { S: row.value };
    await this.#table.putIfHigher(`${this.#pk}#${row.avatar}`, row.key, "seq", item);
  }

  /** All rows up to `position` are written. A lower position never replaces a higher one. */
  async advance(position: Position): Promise<void> {
    const item: Item = { seq: { N: String(position.seq) }, epoch: { N: String(position.epoch) } };
    await this.#table.putIfHigher(this.#pk, "#position", "seq", item);
  }

  /** The rows of one avatar. */
  async read(avatar: string): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const item of this.#table.query(`${this.#pk}#${avatar}`)) {
      if (item.value?.S !== undefined) entries.push({ key: item.sk?.S as string, value: item.value.S });
    }
    return entries;
  }
}
