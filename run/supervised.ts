/**
 * One process under supervision.
 *
 *     idle ──start──▶ starting ──ready──▶ running ──died──▶ waiting ──back-off──▶ starting
 *                        │                   │                 │
 *                        └───────── stop ────┴─────────────────┴──▶ stopping ──gone──▶ idle
 *
 * The first start must succeed, or `start` rejects and nothing is tried again: what fails then is a matter of the
 * installation. A process that dies later is started again, for ever, with growing delays. Nothing is started while stopping.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type BackOff, backOffMs } from "@tidings/runtime";
import { type Child, type Command, startChild } from "./child.ts";
import type { LogFile } from "./log-file.ts";

/** A process did not become ready; `message` names its log file. */
export class StartFailed extends Error {
  override readonly name = "StartFailed";
}

export interface ProcessSpec extends Command {
  readonly name: string;
  /** Resolves when the started process answers. May go on trying until `signal` is aborted. */
  readonly ready: (child: Child, signal: AbortSignal) => Promise<void>;
  /** Longest time from start to ready (milliseconds). */
  readonly readyWithinMs: number;
  /** Pauses before it is started again after it died; default: from 250 ms to 15 s. */
  readonly backOff?: BackOff;
}

export type State = "idle" | "starting" | "running" | "waiting" | "stopping";

/** Hears one line for each change that the person at the terminal should know of. */
export type Tell = (line: string) => void;

const BACK_OFF = { firstMs: 250, maxMs: 15_000 };
/** A process that lived this long is healthy: its next failure counts as the first. */
const HEALTHY_AFTER_MS = 60_000;

export class Supervised {
  readonly #spec: ProcessSpec;
  readonly #log: LogFile;
  readonly #tell: Tell;
  readonly #waiting = new Set<() => void>();
  #settings: NodeJS.ProcessEnv = {};
  #state: State = "idle";
  #child: Child | null = null;
  #stopped = new AbortController();
  #activity: Promise<void> = Promise.resolve();
  #failures = 0;
  #restarts = 0;

  /** Puts the process that `spec` describes under supervision, without starting it. */
  constructor(spec: ProcessSpec, log: LogFile, tell: Tell) {
    this.#spec = spec;
    this.#log = log;
    this.#tell = tell;
  }

  get name(): string {
    return this.#spec.name;
  }

  get state(): State {
    return this.#state;
  }

  /** Process id, or null when there is no process at the moment. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** How often the process has been started again after it died. */
  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Resolves when the process is ready; rejects with {@link StartFailed}, and then no process is left. `settings` go before
   * what its environment has otherwise, until it is stopped.
   */
  async start(settings: NodeJS.ProcessEnv = {}): Promise<void> {
    if (this.#state !== "idle")
      throw new Error(`${this.name} is ${this.#state}; only an idle process can be started`);
    this.#settings = settings;
    this.#stopped = new AbortController();
    const first = this.#startOnce();
    this.#activity = first.catch(() => this.#enter("idle"));
    await first;
  }

  /** Resolves when the process is ready: at once, or after the restart that is under way. */
  whenRunning(): Promise<void> {
    if (this.#state === "running") return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** Sends `signal` to the process. When it dies of it, it is started again. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.signal(signal);
  }

  /** SIGTERM and, after `graceMs`, SIGKILL to the whole group. Resolves when the process is gone for good. */
  async stop(graceMs: number): Promise<void> {
    if (this.#state === "idle") return;
    this.#enter("stopping");
    this.#stopped.abort();
    if (this.#child) await end(this.#child, graceMs);
    await this.#activity;
    this.#enter("idle");
  }

  async #startOnce(): Promise<void> {
    this.#enter("starting");
    const env = { ...this.#spec.env, ...this.#settings };
    const child = await startChild({ ...this.#spec, env }, this.#log);
    this.#child = child;
    try {
      this.#stopped.signal.throwIfAborted();
      await untilReady(this.#spec, child, this.#log.path);
      this.#stopped.signal.throwIfAborted();
    } catch (error) {
      child.killGroup();
      await child.exited;
      this.#child = null;
      throw error;
    }
    this.#enter("running");
    this.#watch(child, Date.now());
  }

  #watch(child: Child, sinceAt: number): void {
    void child.exited.then(({ code, signal }) => {
      this.#child = null;
      child.killGroup();
      if (this.#stopped.signal.aborted) return;
      if (Date.now() - sinceAt > HEALTHY_AFTER_MS) this.#failures = 0;
      this.#tell(
        `${this.name} died (${signal ?? `exit code ${code}`}), starting it again; see ${this.#log.path}`,
      );
      this.#activity = this.#restart();
    });
  }

  async #restart(): Promise<void> {
    while (await this.#waited()) {
      try {
        this.#restarts += 1;
        await this.#startOnce();
        this.#tell(`${this.name} is back`);
        return;
      } catch (error) {
        if (!this.#stopped.signal.aborted) this.#tell((error as Error).message);
      }
    }
  }

  /** Waits as long as the number of failures asks for. Resolves to false when the process is not wanted any more. */
  async #waited(): Promise<boolean> {
    if (this.#stopped.signal.aborted) return false;
    this.#enter("waiting");
    this.#failures += 1;
    const { signal } = this.#stopped;
    return sleep(backOffMs(this.#failures, this.#spec.backOff ?? BACK_OFF, Math.random()), true, {
      signal,
    }).catch(() => false);
  }

  #enter(next: State): void {
    this.#state = next;
    if (next !== "running") return;
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

async function untilReady(spec: ProcessSpec, child: Child, logPath: string): Promise<void> {
  const over = new AbortController();
  const ready = spec.ready(child, over.signal).then(() => "ready" as const);
  const late = sleep(spec.readyWithinMs, "late" as const, { signal: over.signal });
  try {
    const first = await Promise.race([ready, late, child.exited]);
    if (first === "ready") return;
    const seconds = spec.readyWithinMs / 1_000;
    const what = first === "late" ? `was not ready within ${seconds} s` : "ended before it was ready";
    throw new StartFailed(`${spec.name} ${what}; see ${logPath}`);
  } finally {
    over.abort();
  }
}

async function end(child: Child, graceMs: number): Promise<void> {
  child.signal("SIGTERM");
  const timer = setTimeout(() => child.killGroup(), graceMs);
  await child.exited;
  clearTimeout(timer);
  child.killGroup();
}
