import { readFetchAllow } from "@tidings/outbound";
import { readConfig } from "@tidings/runtime";
import Type from "typebox";

const Settings = Type.Object({
  TIDINGS_AMQP_URL: Type.String({ pattern: "^amqps?://" }),
  TIDINGS_FETCH_ALLOW: Type.String({ default: "" }),
  TIDINGS_FETCH_CONCURRENCY: Type.Integer({ default: 20, minimum: 1, maximum: 500 }),
});

export interface IngestRssConfig {
  readonly amqpUrl: string;
  /** Networks exempt from the address guard, in CIDR notation. */
  readonly fetchAllow: readonly string[];
  /** Poll jobs in work at a time. */
  readonly concurrency: number;
}

/** Reads the settings of ingest-rss. Throws ConfigError with all problems at once. */
export function readIngestRssConfig(env?: NodeJS.ProcessEnv): IngestRssConfig {
  const settings = readConfig(Settings, env);
  const fetchAllow = readFetchAllow(settings.TIDINGS_FETCH_ALLOW);
  return { amqpUrl: settings.TIDINGS_AMQP_URL, fetchAllow, concurrency: settings.TIDINGS_FETCH_CONCURRENCY };
}
