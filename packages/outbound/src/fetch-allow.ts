import { ConfigError } from "@tidings/runtime";
import { parseCidrs } from "./address-guard.ts";

/** The networks in `TIDINGS_FETCH_ALLOW`, which the guard lets through. Throws ConfigError that names what is none. */
export function readFetchAllow(setting: string): string[] {
  const networks = setting.split(/[\s,]+/).filter((cidr) => cidr !== "");
  const { wrong } = parseCidrs(networks);
  if (wrong.length === 0) return networks;
  throw new ConfigError(`unusable settings: TIDINGS_FETCH_ALLOW holds no networks: ${wrong.join(", ")}`);
}
