import { mailAddress } from "@tidings/mail";
import { ConfigError, readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";

const Schema = Type.Object({
  TIDINGS_HOME: Type.String({ default: ".tidings" }),
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  /** Component listener of the agents cluster. */
  TIDINGS_BUS_URL: Type.String({ pattern: "^xmpp://" }),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  TIDINGS_AMQP_URL: Type.String({ pattern: "^amqps?://" }),
  TIDINGS_SMTP_RELAY: Type.String({ pattern: "^smtps?://[^/?#]+/?$" }),
  /** File with the secret by which bounces and replies are known to be of our messages. */
  TIDINGS_MAIL_SECRET_FILE: Type.String(),
  TIDINGS_MAIL_FROM: Type.Optional(Type.String()),
  TIDINGS_MAIL_DOMAIN: Type.Optional(Type.String()),
  /** Where mailboxes reach one-click.ts; RFC 8058 §3.1 wants https. Empty: nowhere. */
  TIDINGS_MAIL_PUBLIC_URL: Type.String({ default: "", pattern: "^(https://.*[^/])?$" }),
  TIDINGS_MAIL_PUBLIC_PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 8_091 }),
});

type Variables = Readonly<Static<typeof Schema>>;

export interface Config extends Variables {
  readonly TIDINGS_MAIL_FROM: string;
  readonly TIDINGS_MAIL_DOMAIN: string;
}

/** The settings of this service. Throws ConfigError, never with the relay's password in it. */
export function config(env?: NodeJS.ProcessEnv): Config {
  const read = readConfig(Schema, env);
  const from = read.TIDINGS_MAIL_FROM ?? `notifications@${read.TIDINGS_DOMAIN}`;
  if (mailAddress(from) === null)
    throw new ConfigError(
      `unusable settings: TIDINGS_MAIL_FROM is no address, such as notifications@example.org`,
    );
  if (!isRelay(read.TIDINGS_SMTP_RELAY))
    throw new ConfigError(
      "unusable settings: TIDINGS_SMTP_RELAY is no URL such as smtp://user:password@host:587; write %40 for an @ in the password",
    );
  return {
    ...read,
    TIDINGS_MAIL_FROM: from,
    TIDINGS_MAIL_DOMAIN: read.TIDINGS_MAIL_DOMAIN ?? `in.${read.TIDINGS_DOMAIN}`,
  };
}

/** A URL whose user and password can be read. */
function isRelay(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { username, password, hostname } = new URL(url);
  try {
    return hostname !== "" && decodeURIComponent(username + password).isWellFormed();
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}
