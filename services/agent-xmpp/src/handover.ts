/**
 * When a message counts as handed to the user's server.
 *
 * XMPP has no acknowledgement for a message between servers. But the stanzas from one domain to another travel in one
 * stream, in order (RFC 6120 §10.1). So after some messages to a domain a ping (XEP-0199) goes to that domain, from the
 * agent's domain; when its answer comes, whatever it says, the server has taken everything before it, or has bounced it.
 *
 *     next: C D   ──ping sent──▶  covered: C D  ──answered──▶ handed
 *                                       │ └──bounced──▶ refused, with the bounce's reason
 *                                       └──no answer in 10 s, or no way there──▶ refused, may be tried again
 *
 * One ping is in flight per domain. Pure: the caller sends the pings and makes the reports.
 */
interface Domain {
  covered: Set<string> | null;
  next: Set<string>;
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
  sent(domain: string, key: string): void {
    let state = this.#domains.get(domain);
    if (state === undefined) {
      state = { covered: null, next: new Set() };
      this.#domains.set(domain, state);
    }
    state.next.add(key);
  }

  /** Whether a ping to `domain` is to be sent now; it then covers all that was sent before. */
  beginPing(domain: string): boolean {
    const state = this.#domains.get(domain);
    if (state === undefined || state.covered !== null || state.next.size === 0) return false;
    state.covered = state.next;
    state.next = new Set();
    return true;
  }

  /** The ping has ended: these messages were before it and have not bounced. */
  endPing(domain: string): string[] {
    const state = this.#domains.get(domain);
    const covered = [...(state?.covered ?? [])];
    if (state !== undefined) state.covered = null;
    if (state?.next.size === 0) this.#domains.delete(domain);
    return covered;
  }

  /** The message `key` came back; no ping speaks for it any more. */
  bounced(domain: string, key: string): void {
    const state = this.#domains.get(domain);
    state?.covered?.delete(key);
    state?.next.delete(key);
  }
}
