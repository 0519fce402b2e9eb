/** The journal of one shard as a value: what is in it is durable, and a fence makes writes of lower epochs void. */
import type { Row } from "@tidings/store";
import { MemoryRows } from "../memory-rows.ts";

export interface LogRecord {
  readonly id: number;
  readonly rows: readonly Row[];
  /** What its turns told, by receiving shard. */
  readonly told: readonly { readonly to: number; readonly text: string }[];
  /** What its turns heard, by sending shard. */
  readonly heard: readonly { readonly from: number; readonly text: string }[];
}

export class FencedLog {
  readonly #isFenced: boolean;
  readonly #rows = new MemoryRows();
  readonly #ids = new Set<number>();
  #epoch = 0;
  /** In the order in which it became durable. */
  readonly told: { readonly to: number; readonly text: string }[] = [];
  readonly heard: { readonly from: number; readonly text: string }[] = [];

  /** Without `isFenced` it takes the writes of deposed owners: a flaw. */
  constructor(isFenced = true) {
    this.#isFenced = isFenced;
  }

  /** Takes the log for `epoch`: its rows as they are now, or null when a higher epoch has it. */
  fence(epoch: number): MemoryRows | null {
    if (epoch < this.#epoch) return null;
    this.#epoch = epoch;
    return this.#rows.copy();
  }

  /** False when the writer was deposed. A record that comes again with its id is there already. */
  append(epoch: number, record: LogRecord): boolean {
    if (epoch < this.#epoch && this.#isFenced) return this.#ids.has(record.id);
    if (this.#ids.has(record.id)) return true;
    this.#ids.add(record.id);
    this.#rows.apply(record.rows);
    this.told.push(...record.told);
    this.heard.push(...record.heard);
    return true;
  }

  /** Rows of frames that nobody has acknowledged. */
  get framesLeft(): number {
    return this.#rows.list("_", { from: "out/", to: "out/\uffff" }).length;
  }
}
