import { Resolver } from "node:dns/promises";
import { ConfigError, readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";

const Schema = Type.Object({
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  /** Component listener of the agents cluster. */
  TIDINGS_BUS_URL: Type.String({ pattern: "^xmpp://" }),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  TIDINGS_AMQP_URL: Type.String({ pattern: "^amqps?://" }),
  TIDINGS_SMTP_ADDRESS: Type.String({ default: "127.0.0.1" }),
  TIDINGS_SMTP_PORT: Type.Integer({ minimum: 1, maximum: 65_535, default: 2_525 }),
  TIDINGS_MAIL_DOMAIN: Type.Optional(Type.String()),
  /** PEM files for STARTTLS; empty: it is not offered. */
  TIDINGS_SMTP_CERTIFICATE_FILE: Type.String({ default: "" }),
  TIDINGS_SMTP_KEY_FILE: Type.String({ default: "" }),
  /** Whom the senders' domains are looked up with, such as `127.0.0.1:5353`, several with commas between; empty: the machine's. */
  TIDINGS_MAIL_DNS: Type.String({ default: "" }),
  TIDINGS_SMTP_PER_MINUTE: Type.Integer({ minimum: 1, maximum: 10_000_000, default: 300 }),
});

export interface Config extends Static<typeof Schema> {
  readonly TIDINGS_MAIL_DOMAIN: string;
}

/** The settings of this service. Throws ConfigError. */
export function config(env?: NodeJS.ProcessEnv): Config {
  const read = readConfig(Schema, env);
  return { ...read, TIDINGS_MAIL_DOMAIN: read.TIDINGS_MAIL_DOMAIN ?? `in.${read.TIDINGS_DOMAIN}` };
}

const LOOKUP = { timeout: 1_000, tries: 1 };

/** The name servers in `setting`. Throws ConfigError when they are none. */
export function nameServers(setting: string): Resolver {
  const resolver = new Resolver(LOOKUP);
  const servers = setting.split(",").flatMap((one) => one.trim() || []);
  try {
    if (servers.length > 0) resolver.setServers(servers);
  } catch {
    throw new ConfigError(
      `TIDINGS_MAIL_DNS is "${setting}"; it takes addresses such as 192.0.2.53 or 127.0.0.1:5353, with commas between.`,
    );
  }
  return resolver;
}
