/** What a process says in its log from a moment on. */
import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { eventually } from "@tidings/testkit";
import type { Stage } from "./stage.ts";

export class LogTail {
  readonly #path: string;
  readonly #from: number;

  /** Everything that `process` says from now on, until its log is begun anew after 10 MB. */
  constructor(stage: Stage, process: string) {
    this.#path = join(stage.stack.home, "logs", `${process}.log`);
    this.#from = statSync(this.#path).size;
  }

  /** Resolves with the first line that `pattern` matches; rejects when there is none within `withinMs`. */
  says(pattern: RegExp, withinMs: number): Promise<string> {
    return eventually(
      async () => {
        const text = (await readFile(this.#path)).subarray(this.#from).toString("utf8");
        const line = text.split("\n").find((one) => pattern.test(one));
        if (line === undefined) throw new Error(`${this.#path} does not say ${pattern}`);
        return line;
      },
      { withinMs },
    );
  }
}
