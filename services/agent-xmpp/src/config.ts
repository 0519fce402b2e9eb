import { readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";

const Schema = Type.Object({
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  /** Component listener of the agents cluster. */
  TIDINGS_BUS_URL: Type.String({ pattern: "^xmpp://" }),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  TIDINGS_AMQP_URL: Type.String({ pattern: "^amqps?://" }),
});

export type Config = Readonly<Static<typeof Schema>>;

/** The settings of this service. Throws ConfigError with all problems at once. */
export function config(env?: NodeJS.ProcessEnv): Config {
  return readConfig(Schema, env);
}
