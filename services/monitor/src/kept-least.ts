/** The fewest hosts that an operator has asked for, in a file: it counts after a restart too. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class KeptLeast {
  readonly #file: string;

  /** In the state folder `home`. */
  constructor(home: string) {
    const folder = join(home, "monitor");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = join(folder, "least-hosts");
  }

  /** Null when nobody has asked, or when the file cannot be read as a number. */
  read(): number | null {
    try {
      const least = Number(readFileSync(this.#file, "utf8"));
      return Number.isSafeInteger(least) && least >= 1 ? least : null;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  write(least: number): void {
    writeFileSync(`${this.#file}.new`, `${least}\n`, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
