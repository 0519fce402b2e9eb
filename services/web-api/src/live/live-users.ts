/** Who has a page open here, and who of them is to look because their avatar has said that something has changed. */
import type { Bus } from "@tidings/bus";
import { isChanged, splitJid } from "@tidings/protocol";

export class LiveUsers {
  readonly #nudges = new Map<string, Set<() => void>>();

  /** `silo` is the domain of the avatars. */
  constructor(bus: Pick<Bus, "onStanza">, silo: string) {
    bus.onStanza((stanza) => {
      if (!isChanged(stanza)) return;
      const { local, domain } = splitJid(stanza.attrs.from ?? "");
      if (domain === silo) for (const nudge of this.#nudges.get(local) ?? []) nudge();
    });
  }

  /** How many pages `user` has open. */
  pagesOf(user: string): number {
    return this.#nudges.get(user)?.size ?? 0;
  }

  /** Calls `nudge` for each change for `user`, until the function that it gives is called. */
  join(user: string, nudge: () => void): () => void {
    const nudges = this.#nudges.get(user) ?? new Set();
    this.#nudges.set(user, nudges.add(nudge));
    return () => {
      nudges.delete(nudge);
      if (nudges.size === 0) this.#nudges.delete(user);
    };
  }
}
