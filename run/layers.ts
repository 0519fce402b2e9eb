/**
 * What has been started, in layers: a layer stops before the one below it, its members side by side.
 *
 *     front services ─▶ avatar hosts ─▶ ejabberd, RabbitMQ, DynamoDB ─▶ epmd
 */
import { setTimeout as sleep } from "node:timers/promises";

export const LAYERS = ["ground", "servers", "hosts", "front"] as const;
export type LayerName = (typeof LAYERS)[number];

export interface Stoppable {
  readonly name: string;
  /** Ends in order, by force after `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** Time that each layer has to end in order (milliseconds); 13.5 s together, below the promised 15 s. */
const GRACE_MS: Readonly<Record<LayerName, number>> = {
  ground: 500,
  servers: 4_000,
  hosts: 5_000,
  front: 4_000,
};
/** A member that does not even react to force is given up after this long (milliseconds). */
const FORCE_MS = 250;

export class Layers {
  #members: { readonly layer: LayerName; readonly member: Stoppable }[] = [];
  #stopped: Promise<string[]> = Promise.resolve([]);

  add(layer: LayerName, member: Stoppable): void {
    this.#members.push({ layer, member });
  }

  /** It has ended by itself. */
  remove(member: Stoppable): void {
    this.#members = this.#members.filter((entry) => entry.member !== member);
  }

  /**
   * Stops everything, the last layer first. May be called again, and then also stops what has been added since.
   * Resolves to the names of what would not end.
   */
  stop(): Promise<string[]> {
    this.#stopped = this.#stopped.then(() => this.#stopAll());
    return this.#stopped;
  }

  async #stopAll(): Promise<string[]> {
    const all = this.#members;
    this.#members = [];
    const stuck: string[] = [];
    for (const layer of LAYERS.toReversed()) {
      const members = all.filter((entry) => entry.layer === layer).map(({ member }) => member);
      const ended = await Promise.all(members.map((member) => ends(member, GRACE_MS[layer])));
      stuck.push(...members.filter((_, index) => !ended[index]).map(({ name }) => name));
    }
    return stuck;
  }
}

async function ends(member: Stoppable, graceMs: number): Promise<boolean> {
  const late = new AbortController();
  const stopped = member.stop(graceMs).then(
    () => true,
    () => false,
  );
  const givenUp = sleep(graceMs + FORCE_MS, false, { signal: late.signal }).catch(() => false);
  const ended = await Promise.race([stopped, givenUp]);
  late.abort();
  return ended;
}
