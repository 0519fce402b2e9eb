import { readFetchAllow } from "@tidings/outbound";
import { readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";

const Schema = Type.Object({
  TIDINGS_HOME: Type.String({ default: ".tidings" }),
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  /** Component listener of the agents cluster. */
  TIDINGS_BUS_URL: Type.String({ pattern: "^xmpp://" }),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  TIDINGS_AMQP_URL: Type.String({ pattern: "^amqps?://" }),
  TIDINGS_FETCH_ALLOW: Type.String({ default: "" }),
});

export interface Config extends Static<typeof Schema> {
  /** Networks exempt from the address guard, in CIDR notation. */
  readonly fetchAllow: readonly string[];
}

/** The settings of this service. Throws ConfigError. */
export function config(env?: NodeJS.ProcessEnv): Config {
  const read = readConfig(Schema, env);
  return { ...read, fetchAllow: readFetchAllow(read.TIDINGS_FETCH_ALLOW) };
}
