import { readFetchAllow } from "@tidings/outbound";
import { readConfig } from "@tidings/runtime";
import Type from "typebox";

const Settings = Type.Object({
  TIDINGS_AMQP_URL: Type.String({ pattern: "^amqps?://" }),
  TIDINGS_FETCH_ALLOW: Type.String({ default: "" }),
  TIDINGS_PUBLIC_URL: Type.String({ default: "", pattern: "^(https?://.*[^/])?$" }),
  TIDINGS_WEB_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 8_080 }),
  TIDINGS_WEBSUB_SECRET_FILE: Type.String({ default: "" }),
  TIDINGS_FETCH_CONCURRENCY: Type.Integer({ default: 20, minimum: 1, maximum: 500 }),
});

export interface IngestRssConfig {
  readonly amqpUrl: string;
  /** Networks exempt from the address guard, in CIDR notation. */
  readonly fetchAllow: readonly string[];
  /** Where web-api is reached from outside; null: nobody has said. */
  readonly publicUrl: string | null;
  readonly webPort: number;
  /** File with the key of what hubs are told; null: none is asked. */
  readonly hubKeyFile: string | null;
  /** Poll jobs in work at a time. */
  readonly concurrency: number;
}

/** Reads the settings of ingest-rss. Throws ConfigError with all problems at once. */
export function readIngestRssConfig(env?: NodeJS.ProcessEnv): IngestRssConfig {
  const settings = readConfig(Settings, env);
  const fetchAllow = readFetchAllow(settings.TIDINGS_FETCH_ALLOW);
  return {
    amqpUrl: settings.TIDINGS_AMQP_URL,
    fetchAllow,
    publicUrl: settings.TIDINGS_PUBLIC_URL || null,
    webPort: settings.TIDINGS_WEB_PORT,
    hubKeyFile: settings.TIDINGS_WEBSUB_SECRET_FILE || null,
    concurrency: settings.TIDINGS_FETCH_CONCURRENCY,
  };
}
