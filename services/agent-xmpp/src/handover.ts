/**
 * When a message counts as handed to the user's server.
 *
 * XMPP has no acknowledgement for a message between servers. But the stanzas from one domain to another travel in one
 * stream, in order (RFC 6120 §10.1). So after some messages to a domain a question goes to that domain, from the agent's
 * domain; when its answer comes, whatever it says, the server has taken everything before it, or has bounced it.
 *
 *     next: C D   ──asked──▶  covered: C D  ──answered──▶ handed
 *                                  │ │ └──the server began to run after it was sent──▶ refused, may be tried again
 *                                  │ └──bounced──▶ refused, with the bounce's reason
 *                                  └──no answer in 10 s, or no way there──▶ refused, may be tried again
 *
 * One question is in flight per domain. When it is lost, so may be what was sent while it was under way: the next question
 * goes over another stream, and says nothing of it. Pure: the caller asks and makes the reports; times are milliseconds of
 * one monotonic clock.
 */
interface Domain {
  /** When each message was sent, by its key; null while no question is in flight. */
  covered: Map<string, number> | null;
  next: Map<string, number>;
}

/** What has come of a question. */
export interface Answer {
  /** Why there is none; null when the server answered, in whatever way. */
  readonly failure: string | null;
  /** When the server began to run, at the latest, if that is news; else null. */
  readonly livesSinceMs: number | null;
}

/** Errors that our own side makes when it does not reach the other server (RFC 6120 §8.3.3.16 and .17). */
const NOT_REACHED = new Set(["remote-server-not-found", "remote-server-timeout"]);

/** Whether an error came from the server that was asked, and so proves that it reads what it is sent. */
export function isProof(condition: string): boolean {
  return !NOT_REACHED.has(condition);
}

export class Handover {
  readonly #domains = new Map<string, Domain>();

  /** How many domains have something unproven. */
  get domains(): number {
    return this.#domains.size;
  }

  /** The message `key` was sent to `domain`. */
  sent(domain: string, key: string, nowMs: number): void {
    this.#of(domain).next.set(key, nowMs);
  }

  /**
   * Whether `domain` is to be asked now; the question then covers all that was sent before. `inAnyCase`: also when nothing
   * is unproven.
   */
  beginAsking(domain: string, inAnyCase = false): boolean {
    const state = inAnyCase ? this.#of(domain) : this.#domains.get(domain);
    if (state === undefined || state.covered !== null || (state.next.size === 0 && !inAnyCase)) return false;
    state.covered = state.next;
    state.next = new Map();
    return true;
  }

  /** The question has ended: which of the messages that have not bounced were taken, and which may be lost. */
  endAsking(domain: string, { failure, livesSinceMs }: Answer): { taken: string[]; lost: string[] } {
    const state = this.#of(domain);
    const covered = [...(state.covered ?? [])];
    state.covered = null;
    const isLost = ([, sentMs]: [string, number]) =>
      failure !== null || (livesSinceMs !== null && sentMs < livesSinceMs);
    const lost = covered.filter(isLost);
    const lostSince = [...state.next].filter(isLost);
    for (const [key] of lostSince) state.next.delete(key);
    if (state.next.size === 0) this.#domains.delete(domain);
    const taken = covered.filter((one) => !isLost(one));
    return { taken: taken.map(keyOf), lost: [...lost, ...lostSince].map(keyOf) };
  }

  /** The message `key` came back; no answer speaks for it any more. */
  bounced(domain: string, key: string): void {
    const state = this.#domains.get(domain);
    state?.covered?.delete(key);
    state?.next.delete(key);
  }

  #of(domain: string): Domain {
    let state = this.#domains.get(domain);
    if (state === undefined) {
      state = { covered: null, next: new Map() };
      this.#domains.set(domain, state);
    }
    return state;
  }
}

function keyOf([key]: [string, number]): string {
  return key;
}
