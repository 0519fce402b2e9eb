/** The logs of all processes of an installation as they go on. A process that is started again is heard again. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LOOK_EVERY_MS = 1_000;

export interface ProcessLogsOptions {
  /** Where files say at which addresses processes are (`<state folder>/metrics`). */
  readonly folder: string;
  /** Lines from this level on. */
  readonly level: string;
  /** The header that opens them. */
  readonly authorization: string;
  readonly hear: (line: string) => void;
}

export class ProcessLogs {
  readonly #options: ProcessLogsOptions;
  readonly #open = new Set<string>();

  constructor(options: ProcessLogsOptions) {
    this.#options = options;
  }

  /** Addresses of the processes that are there. */
  get targets(): string[] {
    const { folder } = this.#options;
    try {
      const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
      return files.flatMap((name) => {
        const [entry] = JSON.parse(readFileSync(join(folder, name), "utf8")) as { targets: string[] }[];
        return entry?.targets ?? [];
      });
    } catch {
      return [];
    }
  }

  /** Hears them until `stopped`. */
  async listen(stopped: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = () => {
      for (const target of this.targets) void this.#listenTo(target, stopped);
    };
    const timer = setInterval(look, LOOK_EVERY_MS);
    stopped.addEventListener("abort", () => resolve());
    look();
    await promise;
    clearInterval(timer);
  }

  async #listenTo(target: string, signal: AbortSignal): Promise<void> {
    if (this.#open.has(target) || signal.aborted) return;
    this.#open.add(target);
    const { level, authorization, hear } = this.#options;
    try {
      const answer = await fetch(`http://${target}/log?level=${level}`, {
        headers: { authorization },
        signal,
      });
      if (!answer.ok || answer.body === null) return;
      for await (const line of linesOf(answer.body)) hear(line);
    } catch {
      // It has ended, or is to be heard no more; while it is wanted it is looked for again.
    } finally {
      this.#open.delete(target);
    }
  }
}

/** Whole lines as they come. Rejects when the connection breaks. */
async function* linesOf(body: NonNullable<Response["body"]>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
}
