/** Orders to die at a crash point, and what became of them; see packages/runtime/src/crash-point.ts. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CRASH_HITS, CRASH_POINTS, type CrashPoint } from "@tidings/runtime";

/** Which kind of process passes a point. */
const PASSED_BY: readonly (readonly [RegExp, "ingest-rss" | "agent-xmpp" | "web-api"])[] = [
  [/^ingest\./, "ingest-rss"],
  [/^agent\./, "agent-xmpp"],
  [/^web\./, "web-api"],
];

export class CrashOrders {
  readonly #folder: string;
  readonly #hosts: readonly string[];
  readonly #hits = new Map<CrashPoint, number>(CRASH_POINTS.map((point) => [point, 0]));
  /** Lines of hits that are counted already, by process. */
  readonly #counted = new Map<string, number>();

  /** Orders in folders below `folder`; `hosts` are the names of the avatar hosts' processes. */
  constructor(folder: string, hosts: readonly string[]) {
    this.#folder = folder;
    this.#hosts = hosts;
  }

  /** The folder of the orders to `process`, made if need be: its TIDINGS_CRASH_POINTS. */
  folderOf(process: string): string {
    const folder = join(this.#folder, process);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** The processes that pass `point`. */
  passersOf(point: CrashPoint): readonly string[] {
    const other = PASSED_BY.find(([pattern]) => pattern.test(point))?.[1];
    return other === undefined ? this.#hosts : [other];
  }

  /** Orders `process` to die when it has passed `point` `passes` more times. */
  order(process: string, point: CrashPoint, passes: number): void {
    writeFileSync(join(this.folderOf(process), point), String(passes));
  }

  /** Whether an order waits to be carried out. */
  isWaiting(process: string, point: CrashPoint): boolean {
    return existsSync(join(this.folderOf(process), point));
  }

  withdraw(process: string, point: CrashPoint): void {
    rmSync(join(this.folderOf(process), point), { force: true });
  }

  /** How often a process has died at each point so far. */
  hits(): ReadonlyMap<CrashPoint, number> {
    for (const process of [...this.#hosts, ...PASSED_BY.map(([, name]) => name)]) this.#countHits(process);
    return this.#hits;
  }

  #countHits(process: string): void {
    const file = join(this.folderOf(process), CRASH_HITS);
    if (!existsSync(file)) return;
    const lines = readFileSync(file, "utf8").trimEnd().split("\n") as CrashPoint[];
    for (const point of lines.slice(this.#counted.get(process) ?? 0))
      this.#hits.set(point, (this.#hits.get(point) ?? 0) + 1);
    this.#counted.set(process, lines.length);
  }
}
