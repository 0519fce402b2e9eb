/**
 * What monitors keep in the table, for whichever of them leads.
 *
 *     M#  leader   {stamp}   changes with each renewal: that it stands still says that the leader is gone
 *     M#  least    {hosts}   the fewest hosts that an operator has asked for
 *     M#  record   {text}    what was measured, see the monitor
 */
import type { Item, Table } from "./table.ts";

const PK = "M#";

export class MonitorRows {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The stamp of the leader; null when nobody has ever led. */
  async leader(): Promise<string | null> {
    return (await this.#table.get(PK, "leader"))?.stamp?.S ?? null;
  }

  /** Puts `stamp` in the place of the stamp `before`: true, or false when somebody was faster. */
  lead(before: string | null, stamp: string): Promise<boolean> {
    const expected = before === null ? undefined : { S: before };
    return this.#table.replaceIf(PK, "leader", "stamp", expected, { stamp: { S: stamp } });
  }

  /** Null when nobody has asked. */
  async least(): Promise<number | null> {
    const hosts = (await this.#table.get(PK, "least"))?.hosts?.N;
    return hosts === undefined ? null : Number(hosts);
  }

  async keepLeast(hosts: number): Promise<void> {
    await this.#table.put(PK, "least", { hosts: { N: String(hosts) } });
  }

  /** Null when nothing was ever kept. */
  async record(): Promise<string | null> {
    return (await this.#table.get(PK, "record"))?.text?.S ?? null;
  }

  async keepRecord(text: string): Promise<void> {
    const item: Item = { text: { S: text } };
    await this.#table.put(PK, "record", item);
  }
}
