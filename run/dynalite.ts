import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeArguments, nodeEnvironment } from "./node-process.ts";
import type { ProcessSpec } from "./supervised.ts";

const SCRIPT = fileURLToPath(new URL("dynalite-server.ts", import.meta.url));

/** The embedded DynamoDB on `port` of the loopback address, with its LevelDB files below `home`. */
export function dynalite(
  home: string,
  port: number,
): { readonly spec: ProcessSpec; readonly endpoint: string } {
  const folder = join(home, "dynamodb");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const spec: ProcessSpec = {
    name: "dynalite",
    command: process.execPath,
    args: [...nodeArguments, SCRIPT, String(port), folder],
    env: nodeEnvironment(home),
    ipc: true,
    ready: (child) => child.saidReady,
    readyWithinMs: 30_000,
  };
  return { spec, endpoint: `http://127.0.0.1:${port}` };
}
