/**
 * Reads on the links to the bus what arrives of each shard's effects, for I5: frames at the hosts, dispatches and asks at the agent.
 *
 *     <frame … epoch="3">   <dispatches … epoch="3">   <asks … epoch="3">   all of them from _17@…
 *
 * Effects of one shard at one receiver are in the order of their arrival; of each shard only changes of the epoch are kept.
 */
import { shardNamed, splitJid } from "@tidings/protocol";
import type { SeenEffect } from "./invariants.ts";
import { StanzaScan } from "./stanza-scan.ts";

/** A message's opening tag, and that of the effect in it; ejabberd writes attributes in single quotes. */
const EFFECT =
  /<message [^>]*?from=["']([^"']+)["'][^>]*>\s*<(frame|dispatches|asks) [^>]*?epoch=["'](\d+)["']/g;

export class EffectWatch {
  readonly #scan = new StanzaScan(EFFECT);
  readonly #effects: SeenEffect[] = [];
  readonly #last = new Map<string, number>();
  #count = 0;

  /** How many effects were read since {@link restart}. */
  get count(): number {
    return this.#count;
  }

  /** What was kept since {@link restart}. */
  get effects(): readonly SeenEffect[] {
    return this.#effects;
  }

  restart(): void {
    this.#effects.length = 0;
    this.#last.clear();
    this.#count = 0;
  }

  /** Takes what has come to `receiver` on its connection number `connection`. */
  sees(receiver: string, connection: number, chunk: Buffer): void {
    for (const [, from = "", what = "", epoch] of this.#scan.in(`${receiver} ${connection}`, chunk))
      this.#note(receiver, from, what, Number(epoch));
  }

  #note(at: string, from: string, what: string, epoch: number): void {
    const shard = shardNamed(splitJid(from).local);
    if (shard === null) return;
    this.#count++;
    const key = `${at} ${shard}`;
    if (this.#last.get(key) === epoch) return;
    this.#last.set(key, epoch);
    this.#effects.push({ at, shard, epoch, what });
  }
}
