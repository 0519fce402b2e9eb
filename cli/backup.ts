import { resolve } from "node:path";
import { FIRST_SILO, SHARDS } from "@tidings/protocol";
import { createLog } from "@tidings/runtime";
import { backUp } from "@tidings/store";
import type { Command } from "./command.ts";
import { withTable } from "./with-table.ts";

/** Copies a silo into a new folder while its hosts run. */
export const backup: Command = {
  name: "backup",
  summary: "copies all avatars into a new folder, while Tidings runs or not",
  usage: "tidings backup <folder>",
  async run([folder], surroundings) {
    if (folder === undefined) {
      surroundings.err(`usage: ${backup.usage}`);
      return 2;
    }
    const path = resolve(surroundings.cwd, folder);
    const log = createLog("tidings", "warn");
    const options = { silo: FIRST_SILO, shards: SHARDS, folder: path, log, nowAt: Date.now() };
    const { shards } = await withTable(surroundings, false, (table) => backUp({ ...options, table }));
    surroundings.out(`${rowsOf(shards)} rows of ${shards.length} shards are in ${path}`);
    return 0;
  },
};

/** How many rows the shards have together. */
export function rowsOf(shards: readonly { readonly rows: number }[]): number {
  return shards.reduce((sum, { rows }) => sum + rows, 0);
}
