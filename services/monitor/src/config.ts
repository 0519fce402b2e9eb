import { MOST_HOSTS } from "@tidings/protocol";
import { readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";

const Hosts = (least: number) => Type.Integer({ minimum: least, maximum: MOST_HOSTS });

const Settings = Type.Object({
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  TIDINGS_BUS_URL: Type.String(),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  TIDINGS_DYNAMODB_ENDPOINT: Type.String(),
  /** By which people tell monitors apart. */
  TIDINGS_MONITOR_NAME: Type.String({ default: "monitor" }),
  /** Hosts at first. */
  TIDINGS_HOSTS: Type.Optional(Hosts(1)),
  /** Fewest and most hosts that demand leads to; 0: none while nothing is awake. */
  TIDINGS_HOSTS_LEAST: Type.Optional(Hosts(0)),
  TIDINGS_HOSTS_MOST: Type.Optional(Hosts(1)),
  /** When the hosts' event loops work so much of the time one is added (percent). */
  TIDINGS_HOSTS_BUSY_PERCENT: Type.Integer({ default: 70, minimum: 10, maximum: 95 }),
  /** With nothing awake and nothing to do for so long the last host is stopped, where the fewest are 0 (seconds). */
  TIDINGS_HOSTS_IDLE_SECONDS: Type.Integer({ default: 600, minimum: 1 }),
  /** Where whoever starts and stops hosts is asked, and with what; empty: nobody, and the monitor only watches. */
  TIDINGS_DRIVER_URL: Type.String({ default: "" }),
  TIDINGS_DRIVER_TOKEN_FILE: Type.String({ default: "" }),
});

const HOSTS = 2;

export interface MonitorConfig extends Readonly<Static<typeof Settings>> {
  readonly first: number;
  readonly least: number;
  readonly most: number;
}

/** The monitor's settings from the environment. Throws ConfigError with all problems at once. */
export function readMonitorConfig(env?: NodeJS.ProcessEnv): MonitorConfig {
  const read = readConfig(Settings, env);
  const first = read.TIDINGS_HOSTS ?? HOSTS;
  const least = read.TIDINGS_HOSTS_LEAST ?? first;
  const most = Math.max(first, least, read.TIDINGS_HOSTS_MOST ?? first);
  return { ...read, first, least: Math.min(least, most), most };
}
