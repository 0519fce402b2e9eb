import { resolve } from "node:path";
import { createLog } from "@tidings/runtime";
import { restore } from "@tidings/store";
import { rowsOf } from "./backup.ts";
import { type Command, folderIn } from "./command.ts";
import { withTable } from "./with-table.ts";

/** Brings a back-up into an empty table of an installation that does not run. */
export const restoreCommand: Command = {
  name: "restore",
  summary: "Brings a back-up into an empty table, while Tidings does not run.",
  usage: "tidings restore <folder> [--json]",
  examples: ["tidings restore /srv/copies/monday   # the table holds no avatars yet"],
  async run(args, surroundings) {
    const path = resolve(surroundings.cwd, folderIn(args, restoreCommand));
    const log = createLog("tidings", "warn");
    const { shards, madeAt } = await withTable(surroundings, true, (table) =>
      restore({ table, folder: path, log }),
    );
    const rows = rowsOf(shards);
    const when = new Date(madeAt).toISOString();
    surroundings.out(
      args.includes("--json")
        ? JSON.stringify({ folder: path, rows, shards: shards.length, madeAt: when })
        : `${rows} rows of ${shards.length} shards, as of ${when}, are in the table`,
    );
    return 0;
  },
};
