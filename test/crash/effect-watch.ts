/**
 * Reads on the links to the bus what arrives of each shard's effects, for I5: frames at the hosts, dispatches and asks at the agent.
 *
 *     <frame … epoch="3">   <dispatches … epoch="3">   <asks … epoch="3">   all of them from _17@…
 *
 * Effects of one shard at one receiver are in the order of their arrival; of each shard only changes of the epoch are kept.
 */
import { shardNamed, splitJid } from "@tidings/protocol";
import type { SeenEffect } from "./invariants.ts";

/** A message's opening tag, and that of the effect in it. */
const EFFECT = /<message [^>]*?from="([^"]+)"[^>]*>\s*<(frame|dispatches|asks) [^>]*?epoch="(\d+)"/g;
/** A pattern may be cut by the end of a chunk: so much is looked at again. */
const TAIL_CHARS = 2_000;

export class EffectWatch {
  readonly #effects: SeenEffect[] = [];
  readonly #last = new Map<string, number>();
  readonly #tails = new Map<string, string>();
  #read = 0;

  /** Number of effects that were read: a watch that read none has proven nothing. */
  get count(): number {
    return this.#read;
  }

  /** What was kept since {@link restart}. */
  get effects(): readonly SeenEffect[] {
    return this.#effects;
  }

  restart(): void {
    this.#effects.length = 0;
    this.#last.clear();
    this.#read = 0;
  }

  /** Takes what has come to `receiver` on its connection number `connection`. */
  see(receiver: string, connection: number, chunk: Buffer): void {
    const key = `${receiver} ${connection}`;
    const text = (this.#tails.get(key) ?? "") + chunk.toString("latin1");
    let end = 0;
    for (const match of text.matchAll(EFFECT)) {
      end = match.index + match[0].length;
      this.#note(receiver, match[1] ?? "", match[2] ?? "", Number(match[3]));
    }
    this.#tails.set(key, text.slice(Math.max(end, text.length - TAIL_CHARS)));
  }

  #note(at: string, from: string, what: string, epoch: number): void {
    const shard = shardNamed(splitJid(from).local);
    if (shard === null) return;
    this.#read++;
    const key = `${at} ${shard}`;
    if (this.#last.get(key) === epoch) return;
    this.#last.set(key, epoch);
    this.#effects.push({ at, shard, epoch, what });
  }
}
