/**
 * How often one web host is asked: at most two requests at a time, and a new one each second. Whoever would have to wait
 * long is sent away with a time of their own to come again, one a second, so that a host with a thousand feeds is asked in
 * its order and keeps nobody else waiting.
 *
 *     free ──▶ asked      busy ──wait ≤ 5 s──▶ asked      busier ──▶ PostponedError: come again in …
 *
 * It counts for all ingestors because the jobs of one host are all taken by one of them; see ingest.ts.
 */
export const MANNERS = { atATime: 2, everyMs: 1_000, longestWaitMs: 5_000 } as const;
/** Hosts that are remembered; those that nothing waits for are forgotten first. */
const MOST_HOSTS = 20_000;

/** A host is asked by so many that this one has to come again. */
export class PostponedError extends Error {
  override readonly name = "PostponedError";
  readonly againInMs: number;

  constructor(host: string, againInMs: number) {
    super(`${host} is asked as often as is polite; again in ${Math.ceil(againInMs / 1_000)} s`);
    this.againInMs = againInMs;
  }
}

interface Host {
  running: number;
  /** Earliest time of the next request, and of the next that is sent away. */
  nextMs: number;
  againMs: number;
  readonly waiting: (() => void)[];
}

export interface MannersOptions {
  /** Whether `hostname` may be asked as often as one likes. */
  readonly isExempt: (hostname: string) => Promise<boolean>;
  readonly limits?: { readonly atATime: number; readonly everyMs: number; readonly longestWaitMs: number };
}

export class HostManners {
  readonly #hosts = new Map<string, Host>();
  readonly #options: MannersOptions;

  constructor(options: MannersOptions) {
    this.#options = options;
  }

  /** Resolves when `hostname` may be asked, to the function that says that its answer is over. Rejects with PostponedError. */
  async turn(hostname: string): Promise<() => void> {
    if (await this.#options.isExempt(hostname)) return () => {};
    const { atATime, everyMs, longestWaitMs } = this.#options.limits ?? MANNERS;
    const host = this.#host(hostname);
    const nowMs = performance.now();
    const waitMs = host.nextMs - nowMs;
    if (waitMs > longestWaitMs || host.waiting.length >= longestWaitMs / everyMs) {
      host.againMs = Math.max(host.againMs, host.nextMs, nowMs + longestWaitMs) + everyMs;
      throw new PostponedError(hostname, host.againMs - nowMs);
    }
    host.nextMs = Math.max(nowMs, host.nextMs) + everyMs;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (host.running >= atATime) await new Promise<void>((resolve) => host.waiting.push(resolve));
    else host.running++;
    return once(() => this.#over(host));
  }

  /** Who is next takes the place. */
  #over(host: Host): void {
    const next = host.waiting.shift();
    if (next === undefined) host.running--;
    else next();
  }

  #host(hostname: string): Host {
    const host = this.#hosts.get(hostname) ?? { running: 0, nextMs: 0, againMs: 0, waiting: [] };
    this.#hosts.set(hostname, host);
    if (this.#hosts.size > MOST_HOSTS) this.#forget();
    return host;
  }

  #forget(): void {
    const nowMs = performance.now();
    for (const [name, { running, nextMs, againMs }] of this.#hosts)
      if (running === 0 && Math.max(nextMs, againMs) < nowMs) this.#hosts.delete(name);
  }
}

function once(work: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) work();
    isDone = true;
  };
}
