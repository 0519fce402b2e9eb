/**
 * Reads on the links to the bus what arrives of each shard's effects, for I5: frames at the hosts, dispatches and asks at the agent.
 *
 *     <message from="_17@…" to="_42@…"><frame … epoch="3">   <dispatches … epoch="3">   <asks … epoch="3">
 *
 * What one shard says to another, or to the agent, arrives in order on one connection; only changes of its epoch are kept. Other
 * pairs are not compared: the router may keep what was said to a shard that nobody serves, and it was said in time. Nor are other
 * connections: what is still in that of a process that died reaches nobody.
 */
import { shardNamed, splitJid } from "@tidings/protocol";
import type { SeenEffect } from "./invariants.ts";
import { StanzaScan } from "./stanza-scan.ts";

/** The attributes of a message, and the opening tag of the effect in it; ejabberd writes them in single quotes. */
const EFFECT = /<message ([^>]*)>\s*<(frame|dispatches|asks) [^>]*?epoch=["'](\d+)["']/g;
const ATTRIBUTE = /\b(from|to)=["']([^"']+)["']/g;

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
    const at = `${receiver} (connection ${connection})`;
    for (const [, attributes = "", what = "", epoch] of this.#scan.in(at, chunk)) {
      const { from = "", to = "" } = Object.fromEntries(
        attributes.matchAll(ATTRIBUTE).map(([, name, value]) => [name, value]),
      );
      this.#note(`${to} at ${at}`, from, what, Number(epoch));
    }
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
