import { readConfig } from "@tidings/runtime";
import Type, { type Static } from "typebox";

const Port = (fallback: number) => Type.Integer({ minimum: 1, maximum: 65_535, default: fallback });

const Settings = Type.Object({
  TIDINGS_DOMAIN: Type.String({ default: "tidings.localhost" }),
  TIDINGS_BUS_URL: Type.String({ pattern: "^xmpp://" }),
  TIDINGS_BUS_PASSWORD_FILE: Type.String(),
  TIDINGS_AMQP_URL: Type.String({ pattern: "^amqps?://" }),
  TIDINGS_XMPP_ADDRESS: Type.String({ default: "127.0.0.1" }),
  TIDINGS_XMPP_PORT: Port(5222),
  TIDINGS_WEB_ADDRESS: Type.String({ default: "127.0.0.1" }),
  TIDINGS_WEB_PORT: Port(8080),
  TIDINGS_WEB_TRUSTED_PROXIES: Type.String({ default: "" }),
  TIDINGS_SIGNUPS_PER_MINUTE: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 600 }),
  TIDINGS_MAIL_DOMAIN: Type.Optional(Type.String()),
  TIDINGS_PUBLISHES_PER_MINUTE: Type.Integer({ minimum: 1, maximum: 10_000_000, default: 600 }),
  TIDINGS_WEBSUB_SECRET_FILE: Type.String({ default: "" }),
  TIDINGS_OPERATOR_TOKEN_FILE: Type.String({ default: "" }),
});
type Settings = Static<typeof Settings>;

export interface WebConfig {
  readonly domain: string;
  readonly busUrl: string;
  readonly busPasswordFile: string;
  readonly amqpUrl: string;
  /** Client listener of the users cluster, where passwords are checked. */
  readonly xmppService: string;
  readonly address: string;
  readonly port: number;
  /** Addresses or CIDR ranges whose X-Forwarded-* headers count. */
  readonly trustedProxies: readonly string[];
  /** Sign-ups of one client address that are served in a minute. */
  readonly signUpsPerMinute: number;
  /** Of the addresses of inboxes. */
  readonly mailDomain: string;
  /** Messages with one publisher's token that are taken in a minute. */
  readonly publishesPerMinute: number;
  /** File with the key of what hubs are told; empty: none is heard. */
  readonly hubKeyFile: string;
  /** File with the operators' token; empty: there are no operators. */
  readonly operatorTokenFile: string;
}

/** The settings of web-api in `env`. Throws ConfigError with every problem. */
export function readWebConfig(env: NodeJS.ProcessEnv): WebConfig {
  const settings: Settings = readConfig(Settings, env);
  return {
    domain: settings.TIDINGS_DOMAIN,
    busUrl: settings.TIDINGS_BUS_URL,
    busPasswordFile: settings.TIDINGS_BUS_PASSWORD_FILE,
    amqpUrl: settings.TIDINGS_AMQP_URL,
    xmppService: `xmpp://${settings.TIDINGS_XMPP_ADDRESS}:${settings.TIDINGS_XMPP_PORT}`,
    address: settings.TIDINGS_WEB_ADDRESS,
    port: settings.TIDINGS_WEB_PORT,
    trustedProxies: settings.TIDINGS_WEB_TRUSTED_PROXIES.split(",").flatMap((range) => range.trim() || []),
    signUpsPerMinute: settings.TIDINGS_SIGNUPS_PER_MINUTE,
    mailDomain: settings.TIDINGS_MAIL_DOMAIN ?? `in.${settings.TIDINGS_DOMAIN}`,
    publishesPerMinute: settings.TIDINGS_PUBLISHES_PER_MINUTE,
    hubKeyFile: settings.TIDINGS_WEBSUB_SECRET_FILE,
    operatorTokenFile: settings.TIDINGS_OPERATOR_TOKEN_FILE,
  };
}
