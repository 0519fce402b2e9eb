import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Layout of the state folder that this version writes. Raised when an older version could not read it any more. */
export const HOME_VERSION = 1;

/** The state folder was written by a version of Tidings that this one does not know. */
export class HomeTooNew extends Error {
  override readonly name = "HomeTooNew";
}

/**
 * Makes the state folder `home` (absolute) if need be, for its owner alone, and stamps it with the version of its
 * layout. Throws {@link HomeTooNew} for a folder of a later version, before anything in it is touched.
 */
export function openHome(home: string): void {
  mkdirSync(join(home, "logs"), { recursive: true, mode: 0o700 });
  const stamp = join(home, "version");
  const found = readVersion(stamp);
  if (found !== null && found > HOME_VERSION) {
    throw new HomeTooNew(
      `${home} belongs to a later version of Tidings (its layout is ${found}, this version knows ${HOME_VERSION}); ` +
        "update Tidings, or set TIDINGS_HOME to another folder",
    );
  }
  chmodSync(home, 0o700);
  if (found !== HOME_VERSION) writeFileSync(stamp, `${HOME_VERSION}\n`);
}

function readVersion(stamp: string): number | null {
  try {
    return Number(readFileSync(stamp, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
