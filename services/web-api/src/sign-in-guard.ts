/**
 * The only way to a password check. Guessing is slowed down by three bounds: failures per client address and name,
 * failures per client address, and checks at a time. A failure always takes the same time, whether the name exists or not.
 */
import { setTimeout as delay } from "node:timers/promises";
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { Problem, unavailable } from "./problem.ts";

const FAILURES_PER_NAME = 10;
const FAILURES_PER_CLIENT = 50;
const WINDOW_SECONDS = 60;
const CHECKS_AT_A_TIME = 8;
const CHECKS_WAITING = 500;
/** Longer than a failed check takes when all is well, so that a name that exists is no slower than one that does not. */
const FAILURE_MS = 250;

export interface SignInGuard {
  /**
   * Whether `password` is the one of the account `name`. A wrong one counts against the client at `ip`. Rejects with
   * Problem 429 when it guessed too often, and 503 when passwords cannot be checked now.
   */
  check(ip: string, name: string, password: string): Promise<boolean>;
  /** Counts a sign-up by the client at `ip`. Rejects with Problem 429 when there were too many. */
  countSignUp(ip: string): Promise<void>;
  /** Counts a failure that needs no check, and takes as long as one. Rejects with Problem 429. */
  fail(ip: string): Promise<void>;
}

export interface GuardSettings {
  readonly signUpsPerMinute: number;
  readonly checkPassword: (name: string, password: string) => Promise<boolean>;
}

interface Limits {
  readonly perName: RateLimiterMemory;
  readonly perClient: RateLimiterMemory;
}

/** A guard that counts in this process's memory; entries go after a minute. */
export function signInGuard({ signUpsPerMinute, checkPassword }: GuardSettings): SignInGuard {
  const limits = {
    perName: limiter(FAILURES_PER_NAME, "name"),
    perClient: limiter(FAILURES_PER_CLIENT, "client"),
  };
  const signUps = limiter(signUpsPerMinute, "sign-up");
  const turn = turnstile(CHECKS_AT_A_TIME, CHECKS_WAITING);
  return {
    check: async (ip, name, password) => {
      const startedMs = performance.now();
      const right = await turn(() =>
        checkCounted(limits, clientOf(ip), name, () => checkPassword(name, password)),
      );
      if (!right) await delay(Math.max(0, startedMs + FAILURE_MS - performance.now()));
      return right;
    },
    countSignUp: (ip) => consume(signUps, clientOf(ip)),
    fail: async (ip) => {
      await refuseGuesser(limits, clientOf(ip));
      await limits.perClient.penalty(clientOf(ip));
      await delay(FAILURE_MS);
    },
  };
}

/** Counts before the check and gives back after it, so that many tries at once do not pass together. */
async function checkCounted(
  limits: Limits,
  client: string,
  name: string,
  checkPassword: () => Promise<boolean>,
): Promise<boolean> {
  const key = `${client} ${name}`;
  await refuseGuesser(limits, client);
  await consume(limits.perName, key);
  const right = await checkPassword().catch(async (error: unknown) => {
    await limits.perName.reward(key);
    throw unavailable(error);
  });
  if (right) await limits.perName.reward(key);
  else await limits.perClient.penalty(client);
  return right;
}

async function refuseGuesser({ perClient }: Limits, client: string): Promise<void> {
  const seen = await perClient.get(client);
  if (seen !== null && seen.consumedPoints >= FAILURES_PER_CLIENT) throw tooMany(seen.msBeforeNext);
}

function limiter(points: number, keyPrefix: string): RateLimiterMemory {
  return new RateLimiterMemory({ points, duration: WINDOW_SECONDS, keyPrefix });
}

/** One client: an IPv4 address, or the /64 of an IPv6 address, which is one household (RFC 6177). */
export function clientOf(ip: string): string {
  if (!ip.includes(":")) return ip;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = ip.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const whole = [...groups, ...Array<string>(Math.max(0, missing)).fill("0"), ...(tail ?? "").split(":")];
  return `${whole.slice(0, 4).join(":")}::/64`;
}

/** Counts `count` more of `key`. Rejects with Problem 429 when that is too many. */
export async function consume(limiter: RateLimiterMemory, key: string, count = 1): Promise<void> {
  try {
    await limiter.consume(key, count);
  } catch (refusal) {
    throw refusal instanceof RateLimiterRes ? tooMany(refusal.msBeforeNext) : refusal;
  }
}

function tooMany(waitMs: number): Problem {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
  return new Problem(429, `That was too often; try again in ${retryAfterSeconds} seconds.`, {
    retryAfterSeconds,
  });
}

/** Runs at most `atATime` tasks at once, lets `waiting` more wait, and refuses further ones with Problem 503. */
function turnstile(atATime: number, waiting: number) {
  let running = 0;
  const queue: (() => void)[] = [];
  return async <T>(task: () => Promise<T>): Promise<T> => {
    if (running >= atATime) {
      if (queue.length >= waiting) throw unavailable(new Error("too many password checks wait"));
      await new Promise<void>((resolve) => queue.push(resolve)); // the one that leaves hands its place over
    } else running += 1;
    try {
      return await task();
    } finally {
      const next = queue.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
