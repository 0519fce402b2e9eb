import type { MailSettings } from "./mail-settings.ts";
import { SERVICE_KINDS, type ServiceKind } from "./services.ts";
import type { SmsSettings } from "./sms-settings.ts";
import type { ProcessSpec, Tell } from "./supervised.ts";

export interface StackOptions {
  /** State folder, absolute; made if need be. */
  readonly home: string;
  readonly domain?: string;
  /** `free`: any port that nobody uses. */
  readonly webPort?: number | "free";
  /** Where mail comes in; `free` (default): a port of the state folder's own; `2525 or free`: that one when 2525 is taken. */
  readonly smtpPort?: number | "free" | "2525 or free";
  /** Domain of the addresses for mail; default `in.<domain>`. */
  readonly mailDomain?: string;
  /** Name servers for the domains of who sends mail, with commas between; empty: the machine's. */
  readonly mailDns?: string;
  readonly xmppPort?: number | "free";
  /** Where web-api is reached from outside; empty: nobody has said. */
  readonly publicUrl?: string;
  /** Number of avatar hosts. */
  readonly hosts?: number;
  /** Fewest and most that the monitor has run; null, as it is without them: as many as at first. */
  readonly hostsLeast?: number | null;
  readonly hostsMost?: number | null;
  /** From so much of the time that the hosts' event loops work one is added (percent). */
  readonly hostsBusyPercent?: number;
  /** After so long with nothing to do the last host is stopped, where the fewest are 0 (seconds). */
  readonly hostsIdleSeconds?: number;
  /** Monitors, of which one leads. */
  readonly monitors?: number;
  readonly pollMinSeconds?: number;
  /** CIDR list, separated by commas, exempt from the private-address guard. */
  readonly fetchAllow?: string;
  /** Which services to start; default all. */
  readonly services?: readonly ServiceKind[];
  /** `embedded`, or the URL of a RabbitMQ of your own. */
  readonly amqpUrl?: string;
  /** `embedded`, `aws`, or the URL of a DynamoDB of your own. */
  readonly dynamoEndpoint?: string;
  /** Folder with `<domain>.crt` and `<domain>.key`; empty: certificates of the installation's own authority. */
  readonly tlsDir?: string;
  readonly logLevel?: string;
  /** The settings of agent-sms; null, as it is without them: it is not started. */
  readonly sms?: SmsSettings | null;
  /** The settings of agent-email; null, as it is without them: it is not started. */
  readonly mail?: MailSettings | null;
  /** Changes how a process is started, such as where a service finds the servers; default: as it is. For tests. */
  readonly adapt?: (spec: ProcessSpec) => Promise<ProcessSpec>;
  /** Hears one line per step and per change; default: nobody. */
  readonly tell?: Tell;
  /** Aborted: the start is given up, and what has been started is stopped. */
  readonly signal?: AbortSignal;
}

export type Plan = Readonly<Required<StackOptions>>;

/** `options` with the defaults filled in. */
export function withDefaults(options: StackOptions): Plan {
  return {
    domain: "tidings.localhost",
    webPort: 8_080,
    xmppPort: 5_222,
    publicUrl: "",
    smtpPort: "free",
    mailDns: "",
    mailDomain: `in.${options.domain ?? "tidings.localhost"}`,
    hosts: 2,
    hostsLeast: null,
    hostsMost: null,
    hostsBusyPercent: 70,
    hostsIdleSeconds: 600,
    monitors: 1,
    pollMinSeconds: 300,
    fetchAllow: "",
    services: SERVICE_KINDS,
    amqpUrl: "embedded",
    dynamoEndpoint: "embedded",
    tlsDir: "",
    logLevel: "info",
    sms: null,
    mail: null,
    adapt: async (spec) => spec,
    tell: () => {},
    signal: new AbortController().signal,
    ...options,
  };
}
