/** Surroundings of a command in which nothing comes in and nobody stops it, for tests. */
import { Readable } from "node:stream";
import type { Surroundings } from "./command.ts";

export const nobody: Pick<Surroundings, "input" | "stopped"> = {
  input: Readable.from([]),
  stopped: new AbortController().signal,
};
