import { join } from "node:path";
import { type LayerName, Layers, type Stoppable } from "./layers.ts";
import { OWNER_MARK } from "./leftovers.ts";
import { type LogFile, openLogFile } from "./log-file.ts";
import { type ProcessSpec, Supervised, type Tell } from "./supervised.ts";
import { secondsSince } from "./time-text.ts";

const LOG_MAX_BYTES = 10 * 1024 * 1024;

/** Everything that one installation has started: by name, each with a log, and stopped in order. */
export class Crew {
  readonly #home: string;
  readonly #tell: Tell;
  readonly #layers = new Layers();
  readonly #members = new Map<string, Supervised>();
  readonly #logs = new Map<string, LogFile>();

  constructor(home: string, tell: Tell) {
    this.#home = home;
    this.#tell = tell;
  }

  /** The log `<home>/logs/<name>.log`, open until the crew has stopped. */
  log(name: string): LogFile {
    const log = this.#logs.get(name) ?? openLogFile(join(this.#home, "logs", `${name}.log`), LOG_MAX_BYTES);
    this.#logs.set(name, log);
    return log;
  }

  /** Starts the process of `spec` in `layer`, under supervision. Resolves when it is ready; rejects with StartFailed. */
  async start(layer: LayerName, spec: ProcessSpec): Promise<void> {
    const marked = { ...spec, env: { ...spec.env, [OWNER_MARK]: this.#home } };
    const member = new Supervised(marked, this.log(spec.name), this.#tell);
    this.#members.set(spec.name, member);
    this.#layers.add(layer, member);
    await this.#timed(spec.name, () => member.start());
  }

  /** Starts what looks after its own processes. Resolves to what `start` makes. */
  async startOther<T extends { stop(): Promise<void> }>(
    layer: LayerName,
    name: string,
    start: () => Promise<T>,
  ): Promise<T> {
    const started = await this.#timed(name, start);
    this.#layers.add(layer, { name, stop: () => started.stop() } satisfies Stoppable);
    return started;
  }

  /** The processes whose names begin with `prefix`. */
  *membersOf(prefix: string): Iterable<Supervised> {
    for (const [name, member] of this.#members) if (name.startsWith(prefix)) yield member;
  }

  /** A process that has ended for good is no longer one of them. */
  forget(name: string): void {
    const member = this.#members.get(name);
    if (member === undefined) return;
    this.#members.delete(name);
    this.#layers.remove(member);
  }

  /** The process called `name`. Throws when there is none. */
  member(name: string): Supervised {
    const member = this.#members.get(name);
    if (member) return member;
    throw new Error(`no process is called ${name}; there are ${[...this.#members.keys()].join(", ")}`);
  }

  /** Stops everything in order. May be called again, also while it is under way. */
  async stop(): Promise<void> {
    const stuck = await this.#layers.stop();
    for (const name of stuck) this.#tell(`${name} did not stop`);
    for (const log of this.#logs.values()) log.close();
  }

  async #timed<T>(name: string, start: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await start();
    this.#tell(`${name.padEnd(16)} ready  ${secondsSince(startedAt)}`);
    return result;
  }
}
