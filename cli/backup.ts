import { resolve } from "node:path";
import { FIRST_SILO, SHARDS } from "@tidings/protocol";
import { createLog } from "@tidings/runtime";
import { backUp } from "@tidings/store";
import { type Command, folderIn } from "./command.ts";
import { withTable } from "./with-table.ts";

/** Copies a silo into a new folder while its hosts run. */
export const backup: Command = {
  name: "backup",
  summary: "Copies all avatars into a new folder, while Tidings runs or not.",
  usage: "tidings backup <folder> [--json]",
  examples: ["tidings backup /srv/copies/monday   # the folder is new or empty"],
  async run(args, surroundings) {
    const path = resolve(surroundings.cwd, folderIn(args, backup));
    const log = createLog("tidings", "warn");
    const options = { silo: FIRST_SILO, shards: SHARDS, folder: path, log, nowAt: Date.now() };
    const { shards } = await withTable(surroundings, false, (table) => backUp({ ...options, table }));
    const rows = rowsOf(shards);
    surroundings.out(
      args.includes("--json")
        ? JSON.stringify({ folder: path, rows, shards: shards.length })
        : `${rows} rows of ${shards.length} shards are in ${path}`,
    );
    return 0;
  },
};

/** How many rows the shards have together. */
export function rowsOf(shards: readonly { readonly rows: number }[]): number {
  return shards.reduce((sum, { rows }) => sum + rows, 0);
}
