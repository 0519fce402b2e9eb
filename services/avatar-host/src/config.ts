import { readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";

const Settings = Type.Object({
  TIDINGS_HOME: Type.String(),
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  TIDINGS_HOST_NAME: Type.String({ default: "h1", pattern: "^h[0-9]{1,3}$" }),
  TIDINGS_DYNAMODB_ENDPOINT: Type.String(),
  TIDINGS_AMQP_URL: Type.String(),
  TIDINGS_BUS_URL: Type.String(),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  /** Shortest poll interval of a feed (seconds). */
  TIDINGS_POLL_MIN_SECONDS: Type.Number({ default: 300, minimum: 1, maximum: 86_400 }),
  /** After this long without anything to do an avatar goes to sleep (seconds). */
  TIDINGS_AVATAR_IDLE_SECONDS: Type.Number({ default: 300, minimum: 1 }),
  /** What changed gets into the checkpoints after this: so much of the journal is replayed at a takeover (seconds). */
  TIDINGS_CHECKPOINT_SECONDS: Type.Number({ default: 60, minimum: 1, maximum: 3_600 }),
  /** Memory for awake avatars, above which those used longest ago go to sleep (MB). */
  TIDINGS_AVATARS_AWAKE_MB: Type.Number({ default: 150, minimum: 1 }),
});

export type Config = Readonly<Static<typeof Settings>>;

/** The host's settings from the environment. Throws ConfigError with all problems at once. */
export function readHostConfig(env?: NodeJS.ProcessEnv): Config {
  return readConfig(Settings, env);
}
