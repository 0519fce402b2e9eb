/** Who listens to the log of this process while it runs; what it writes to standard output stays as it is. */
import { type Level, levels } from "pino";

/** The number of `level`: higher is worse; of what is no level the highest. */
export function levelNumber(level: string): number {
  return levels.values[level] ?? Number.POSITIVE_INFINITY;
}

interface Tap {
  readonly level: Level;
  readonly hear: (line: string) => void;
}

export class LogTaps {
  readonly #taps = new Set<Tap>();
  #setLevel: (lowest: Level | null) => void = () => undefined;

  /** `setLevel` makes the log give lines from `lowest` on; null: as it is set. */
  serve(setLevel: (lowest: Level | null) => void): void {
    this.#setLevel = setLevel;
  }

  /** `hear` gets each line of at least `level`, until the function that is returned is called. */
  open(level: Level, hear: (line: string) => void): () => void {
    const tap = { level, hear };
    this.#taps.add(tap);
    this.#setLevel(this.#lowest);
    return () => {
      this.#taps.delete(tap);
      this.#setLevel(this.#lowest);
    };
  }

  /** The log has a `line` of the level with the number `level`. */
  tell(level: number, line: string): void {
    for (const tap of this.#taps) if (level >= levelNumber(tap.level)) tap.hear(line);
  }

  get #lowest(): Level | null {
    const all = [...this.#taps].map(({ level }) => level);
    return all.toSorted((a, b) => levelNumber(a) - levelNumber(b))[0] ?? null;
  }
}
