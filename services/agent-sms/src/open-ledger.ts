import { chmodSync, closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { Ledger } from "./ledger.ts";

/**
 * The ledger of the state folder `home`, for its owner alone: it knows who has which number. Throws with a sentence that
 * names the file when that cannot be read or is no ledger.
 */
export function openLedger(home: string): Ledger {
  const folder = join(home, "agents");
  const path = join(folder, "sms.sqlite");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // SQLite gives the files beside it the same mode.
    closeSync(openSync(path, "a"));
    chmodSync(path, 0o600);
    return new Ledger(path);
  } catch (cause) {
    throw new Error(
      `${path} cannot be used (${(cause as Error).message}); move it away, and what it knows of the last 24 hours may be sent again`,
      { cause },
    );
  }
}
