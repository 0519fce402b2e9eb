import { Refusal } from "./step.mjs";

const OLDEST_NODE = 20;

/**
 * Throws a Refusal when this machine cannot run Tidings natively.
 * @param {{ platform: string, arch: string, version: string }} machine
 */
export function checkMachine(machine = process) {
  const { platform, arch, version } = machine;
  if (platform !== "linux" || (arch !== "x64" && arch !== "arm64")) {
    throw new Refusal(
      `\`npm start\` and \`npm test\` run on Linux (x64 or arm64); this is ${platform} ${arch}. Use \`docker compose up\` here.`,
    );
  }
  if (Number.parseInt(version.slice(1), 10) < OLDEST_NODE) {
    throw new Refusal(
      `Node ${OLDEST_NODE} or newer is needed to prepare the checkout (it then brings its own Node 26); this is ${version}.`,
    );
  }
}
