/** Counts in the SQLite files of a silo's shards: what a hundred thousand histories hold cannot be asked for one by one. */
import { DatabaseSync } from "node:sqlite";
import { SHARDS } from "@tidings/protocol";
import { shardPath } from "../../bench/seed.ts";

export interface Holders {
  /** Histories that hold the item. */
  readonly withItem: number;
  /** Items in all histories together. */
  readonly items: number;
}

/**
 * What the files of `host` (`h1`) in the state folder `home` hold of the item `id`; a host writes them half a second
 * later. `every`: only of each so-manieth shard, because looking at all takes a quarter of a second, in which the links stand. */
export function holdersAt(home: string, host: string, id: string, every = 1): Holders {
  let [withItem, items] = [0, 0];
  for (let shard = 0; shard < SHARDS; shard += every) {
    const file = new DatabaseSync(shardPath(home, host, shard), { readOnly: true });
    const count = (where: string, ...values: string[]) =>
      (file.prepare(`SELECT count(*) AS n FROM rows WHERE ${where}`).get(...values) as { n: number }).n;
    withItem += count("key = ? AND value IS NOT NULL", `i/${id}`);
    items += count("key >= 'i/' AND key < 'i0' AND value IS NOT NULL");
    file.close();
  }
  return { withItem, items };
}
