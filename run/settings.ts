import { resolve } from "node:path";
import { readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";
import { MAX_HOSTS } from "./ejabberd/roles.ts";

const Port = (defaultPort: number) => Type.Integer({ minimum: 1, maximum: 65_535, default: defaultPort });

/** Every setting of an installation; the names are the environment variables that the README lists. */
const Variables = Type.Object({
  TIDINGS_HOME: Type.String({ default: ".tidings" }),
  TIDINGS_DOMAIN: Type.String({
    default: "tidings.localhost",
    maxLength: 200,
    pattern: "^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$",
  }),
  TIDINGS_WEB_PORT: Port(8_080),
  TIDINGS_XMPP_PORT: Port(5_222),
  TIDINGS_PUBLIC_URL: Type.String({ default: "", pattern: "^(https?://.*[^/])?$" }),
  /** 2525 when nothing is said; then another one is taken where somebody has it. */
  TIDINGS_SMTP_PORT: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  TIDINGS_MAIL_DOMAIN: Type.Optional(Type.String()),
  TIDINGS_MAIL_DNS: Type.String({ default: "" }),
  TIDINGS_HOSTS: Type.Integer({ minimum: 1, maximum: MAX_HOSTS, default: 2 }),
  TIDINGS_HOSTS_LEAST: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_HOSTS })),
  TIDINGS_HOSTS_MOST: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_HOSTS })),
  TIDINGS_HOSTS_BUSY_PERCENT: Type.Integer({ minimum: 10, maximum: 95, default: 70 }),
  TIDINGS_HOSTS_IDLE_SECONDS: Type.Integer({ minimum: 1, default: 600 }),
  TIDINGS_MONITORS: Type.Integer({ minimum: 1, maximum: 3, default: 1 }),
  TIDINGS_POLL_MIN_SECONDS: Type.Integer({ minimum: 1, maximum: 86_400, default: 300 }),
  TIDINGS_FETCH_ALLOW: Type.String({ default: "" }),
  TIDINGS_SMTP_RELAY: Type.String({ default: "", pattern: "^(smtps?://[^/?#]+/?)?$" }),
  TIDINGS_MAIL_FROM: Type.Optional(Type.String({ pattern: "^[^\\s@<>]+@[^\\s@<>]+$" })),
  TIDINGS_MAIL_PUBLIC_URL: Type.String({ default: "", pattern: "^(https://.*[^/])?$" }),
  TIDINGS_MAIL_PUBLIC_PORT: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  TWILIO_ACCOUNT_SID: Type.String({ default: "", pattern: "^(AC.*)?$" }),
  TWILIO_AUTH_TOKEN: Type.String({ default: "" }),
  TWILIO_FROM: Type.String({ default: "" }),
  TWILIO_API_BASE: Type.String({ default: "", pattern: "^(https?://.+)?$" }),
  TIDINGS_SMS_COUNTRIES: Type.String({ default: "", pattern: "^[A-Za-z]{2}([, ]+[A-Za-z]{2})*$|^$" }),
  TIDINGS_SMS_CALLBACK_URL: Type.String({ default: "", pattern: "^(https?://.*[^/])?$" }),
  TIDINGS_SMS_CALLBACK_PORT: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  TIDINGS_DYNAMODB_ENDPOINT: Type.String({ default: "embedded", pattern: "^(embedded|aws|https?://.+)$" }),
  TIDINGS_AMQP_URL: Type.String({ default: "embedded", pattern: "^(embedded|amqps?://.+)$" }),
  TIDINGS_TLS_DIR: Type.Optional(Type.String()),
  TIDINGS_LOG_LEVEL: Type.Union(
    ["fatal", "error", "warn", "info", "debug", "trace", "silent"].map((level) => Type.Literal(level)),
    { default: "info" },
  ),
});

export type Settings = Readonly<Static<typeof Variables>> & {
  readonly TIDINGS_MAIL_DOMAIN: string;
  readonly TIDINGS_MAIL_FROM: string;
};

/**
 * The installation's settings from `env`, with defaults and with absolute paths (relative ones are taken from `cwd`).
 * Throws ConfigError with every problem at once.
 */
export function readSettings(env: NodeJS.ProcessEnv, cwd: string): Settings {
  const read = readConfig(Variables, env);
  return {
    ...read,
    TIDINGS_HOME: resolve(cwd, read.TIDINGS_HOME),
    TIDINGS_MAIL_DOMAIN: read.TIDINGS_MAIL_DOMAIN ?? `in.${read.TIDINGS_DOMAIN}`,
    TIDINGS_MAIL_FROM: read.TIDINGS_MAIL_FROM ?? `notifications@${read.TIDINGS_DOMAIN}`,
    ...(read.TIDINGS_TLS_DIR === undefined ? {} : { TIDINGS_TLS_DIR: resolve(cwd, read.TIDINGS_TLS_DIR) }),
  };
}
