import { resolve } from "node:path";
import { createLog } from "@tidings/runtime";
import { restore } from "@tidings/store";
import { rowsOf } from "./backup.ts";
import type { Command } from "./command.ts";
import { withTable } from "./with-table.ts";

/** Brings a back-up into an empty table of an installation that does not run. */
export const restoreCommand: Command = {
  name: "restore",
  summary: "brings a back-up into an empty table, while Tidings does not run",
  usage: "tidings restore <folder>",
  async run([folder], surroundings) {
    if (folder === undefined) {
      surroundings.err(`usage: ${restoreCommand.usage}`);
      return 2;
    }
    const path = resolve(surroundings.cwd, folder);
    const log = createLog("tidings", "warn");
    const { shards, madeAt } = await withTable(surroundings, true, (table) =>
      restore({ table, folder: path, log }),
    );
    const when = new Date(madeAt).toISOString();
    surroundings.out(`${rowsOf(shards)} rows of ${shards.length} shards, as of ${when}, are in the table`);
    return 0;
  },
};
