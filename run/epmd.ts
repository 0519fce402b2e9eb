import { answersTcp, retryUntil } from "./answers.ts";
import type { ProcessSpec } from "./supervised.ts";

/**
 * Erlang's name server on a port of this installation, in the foreground and on loopback. Erlang nodes would start one
 * of their own otherwise, which outlives them.
 */
export function epmd(port: number): ProcessSpec {
  return {
    name: "epmd",
    command: "epmd",
    args: ["-port", String(port), "-address", "127.0.0.1"],
    env: { PATH: process.env.PATH, LANG: "C.UTF-8" },
    ipc: false,
    ready: (_, signal) => retryUntil(signal, () => answersTcp(port)),
    readyWithinMs: 10_000,
  };
}
