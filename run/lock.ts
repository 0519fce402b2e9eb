import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Another process runs on this state folder. */
export class HomeInUse extends Error {
  override readonly name = "HomeInUse";
}

export interface Lock {
  /** Gives the state folder free. May be called twice. */
  release(): void;
}

/**
 * Takes the state folder `home` for this process. The lock is SQLite's lock on a file of its own: the operating system
 * holds it and lets it go when the process dies, however it dies, so no stale lock and no reused pid can be mistaken for
 * a running installation. Throws {@link HomeInUse} when somebody else has it.
 */
export function lockHome(home: string): Lock {
  const db = new DatabaseSync(join(home, "lock"));
  try {
    db.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    throw new HomeInUse(
      `Tidings is running already on ${home}; stop it first, or set TIDINGS_HOME to another folder`,
      { cause },
    );
  }
  return {
    release: () => {
      if (db.isOpen) db.close();
    },
  };
}
