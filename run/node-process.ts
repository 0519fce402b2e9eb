import { join } from "node:path";

/**
 * Small heaps: a young generation of 3 x 1 MB instead of 3 x 16 MB, and old objects collected before they are many. What
 * a service needs under load it still gets.
 */
export const nodeArguments: readonly string[] = ["--max-semi-space-size=1", "--optimize-for-size"];

/**
 * For what every notification passes through. With the small young generation a fifth of a loaded host's time went into
 * collecting it; this one grows only under load. Old objects are collected when they are 1.6 times as much as was left the
 * last time: on a machine with much memory V8 would wait for four times as much, and a host that told 100,000 subscribers of
 * one item had 760 MB, 160 of them in use.
 */
export const busyNodeArguments: readonly string[] = ["--max-semi-space-size=16", "--heap-growing-percent=60"];

/** Of no use to a service, or secrets of a service that is not this one. */
const NOT_INHERITED = /^(npm_|VITEST|NODE_OPTIONS$|NODE_CHANNEL_|INIT_CWD$|TWILIO_|TIDINGS_)/;

/**
 * What every Node process of ours inherits: the caller's environment (proxies, AWS credentials) without settings and
 * secrets, and a cache of compiled code, which saves each start the work of stripping types. It is in `home` unless the caller has
 * one, as a test run has for all of its installations.
 */
export function nodeEnvironment(home: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.test(name));
  return { NODE_COMPILE_CACHE: join(home, "cache"), ...Object.fromEntries(inherited) };
}
