/**
 * The mailboxes of a shard's avatars. What comes for an avatar waits here while its rows are read from the checkpoints;
 * otherwise it runs at once. A frame is for many avatars and for its stream: it runs when it is first in line at each.
 */
export interface Stimulus {
  /** Names in whose order this takes part: avatars, and streams (`stream:17`), which are always awake. */
  readonly names: readonly string[];
  readonly run: () => void;
}

export class Mailboxes {
  readonly #lines = new Map<string, Stimulus[]>();
  readonly #isAwake: (name: string) => boolean;
  readonly #wake: (name: string) => Promise<void>;

  /** `wake` makes an avatar's rows readable; `isAwake` tells whether they are. */
  constructor(isAwake: (name: string) => boolean, wake: (name: string) => Promise<void>) {
    this.#isAwake = isAwake;
    this.#wake = wake;
  }

  /** Number of stimuli that wait, counted once per name. */
  get waiting(): number {
    let count = 0;
    for (const line of this.#lines.values()) count += line.length;
    return count;
  }

  /** Whether something waits for `name`. */
  isWaitedFor(name: string): boolean {
    return this.#lines.has(name);
  }

  /** Runs `stimulus` now, or in its turn when an avatar must be woken first. */
  post(stimulus: Stimulus): void {
    const names = [...new Set(stimulus.names)];
    if (names.every((name) => !this.#lines.has(name) && this.#isAwake(name))) {
      stimulus.run();
      return;
    }
    const queued = { names, run: stimulus.run };
    for (const name of names) this.#join(name, queued);
  }

  #join(name: string, stimulus: Stimulus): void {
    const line = this.#lines.get(name);
    if (line !== undefined) {
      line.push(stimulus);
      return;
    }
    this.#lines.set(name, [stimulus]);
    if (this.#isAwake(name)) queueMicrotask(() => this.#advance(stimulus));
    else void this.#wake(name).then(() => this.#advance(this.#lines.get(name)?.[0]));
  }

  #advance(stimulus: Stimulus | undefined): void {
    if (stimulus === undefined || !stimulus.names.every((name) => this.#isFirst(name, stimulus))) return;
    for (const name of stimulus.names) this.#leave(name);
    stimulus.run();
    for (const name of stimulus.names) this.#advance(this.#lines.get(name)?.[0]);
  }

  #isFirst(name: string, stimulus: Stimulus): boolean {
    return this.#lines.get(name)?.[0] === stimulus && this.#isAwake(name);
  }

  #leave(name: string): void {
    const line = this.#lines.get(name);
    line?.shift();
    if (line?.length === 0) this.#lines.delete(name);
  }
}
