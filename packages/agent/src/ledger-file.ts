import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";

/**
 * The ledger `<home>/agents/<name>.sqlite`, which `open` opens, for its owner alone: it knows who has which address.
 * Throws with a sentence that names the file when that cannot be read or is no ledger.
 */
export function openLedgerFile<L>(home: string, name: string, open: (path: string) => L): L {
  const folder = join(home, "agents");
  const path = join(folder, `${name}.sqlite`);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // SQLite gives the files beside it the same mode.
    closeSync(openSync(path, "a"));
    chmodSync(path, 0o600);
    return open(path);
  } catch (cause) {
    throw new Error(
      `${path} cannot be used (${(cause as Error).message}); move it away, and what it knows of the last 24 hours may be sent again`,
      { cause },
    );
  }
}
