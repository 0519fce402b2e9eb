import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Certificate } from "./ejabberd/authority.ts";
import type { MailSettings } from "./mail-settings.ts";
import { busyNodeArguments, nodeArguments, nodeEnvironment } from "./node-process.ts";
import { secretIn } from "./secrets.ts";
import type { SmsSettings } from "./sms-settings.ts";
import type { ProcessSpec } from "./supervised.ts";

export const SERVICE_KINDS = [
  "avatar-host",
  "monitor",
  "ingest-rss",
  "ingest-email",
  "agent-xmpp",
  "agent-sms",
  "agent-email",
  "agent-webhook",
  "web-api",
] as const;
export type ServiceKind = (typeof SERVICE_KINDS)[number];

/** What the services are told; see the README of each for what it uses. */
export interface Surroundings {
  readonly home: string;
  readonly domain: string;
  readonly amqpUrl: string;
  readonly dynamoEndpoint: string;
  readonly webPort: number;
  readonly xmppPort: number;
  /** Where web-api is reached from outside; empty: nobody has said. */
  readonly publicUrl: string;
  /** Fewest and most avatar hosts; null: as many as at first. */
  readonly hostsLeast: number | null;
  readonly hostsMost: number | null;
  /** From so much of the time that their event loops work a host is added (percent). */
  readonly hostsBusyPercent: number;
  readonly hostsIdleSeconds: number;
  /** How many monitors there are, of which one leads. */
  readonly monitors: number;
  /** Where the monitor has hosts started and stopped. */
  readonly controlPort: number;
  readonly pollMinSeconds: number;
  readonly fetchAllow: string;
  readonly logLevel: string;
  /** What agent-sms is told beside the rest; null: it is not started. */
  readonly sms: SmsSettings | null;
  readonly smsPort: number;
  /** What agent-email is told beside the rest; null: it is not started. */
  readonly mail: MailSettings | null;
  readonly mailPort: number;
  /** Where mail comes in, and for which domain. */
  readonly smtpPort: number;
  readonly mailDomain: string;
  readonly mailDns: string;
  /** What ingest-email shows for STARTTLS. */
  readonly mailCertificate: Certificate;
  /** URL of the component listener of a cluster's ejabberd. */
  busUrl(role: "agents" | "avatars"): string;
  /** File with the password of a component. */
  passwordFile(componentDomain: string): string;
}

const BUSY: ReadonlySet<ServiceKind> = new Set(["avatar-host", "agent-xmpp", "ingest-rss", "ingest-email"]);

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The processes of one kind of service; `hosts` avatar hosts, and one of each other kind that is to run. */
export function serviceProcesses(kind: ServiceKind, hosts: number, around: Surroundings): ProcessSpec[] {
  switch (kind) {
    case "avatar-host":
      return Array.from({ length: hosts }, (_, index) => avatarHost(`h${index + 1}`, around));
    case "monitor":
      return Array.from({ length: around.monitors }, (_, index) => {
        const name = index === 0 ? "monitor" : `monitor-${index + 1}`;
        return service(kind, name, monitor(name, hosts, around), around);
      });
    case "ingest-rss":
      return [service(kind, kind, ingestRss(around), around)];
    case "ingest-email":
      return [service(kind, kind, ingestEmail(around), around)];
    case "agent-xmpp":
      return [service(kind, kind, bus("agents", `im.agents.${around.domain}`, around), around)];
    case "agent-sms":
      return around.sms === null ? [] : [service(kind, kind, agentSms(around, around.sms), around)];
    case "agent-email":
      return around.mail === null ? [] : [service(kind, kind, agentEmail(around, around.mail), around)];
    case "agent-webhook":
      return [service(kind, kind, bus("agents", `webhook.agents.${around.domain}`, around), around)];
    case "web-api":
      return [service(kind, kind, webApi(around), around)];
  }
}

/** The secret by which the monitor has hosts started. */
export function controlToken({ home }: Pick<Surroundings, "home">): {
  readonly file: string;
  readonly token: string;
} {
  const file = join(home, "secrets", "host-control");
  return { file, token: secretIn(file) };
}

function monitor(name: string, hosts: number, around: Surroundings): NodeJS.ProcessEnv {
  return {
    TIDINGS_MONITOR_NAME: name,
    TIDINGS_DYNAMODB_ENDPOINT: around.dynamoEndpoint,
    TIDINGS_HOSTS: String(hosts),
    TIDINGS_HOSTS_LEAST: String(around.hostsLeast ?? hosts),
    TIDINGS_HOSTS_MOST: String(around.hostsMost ?? hosts),
    TIDINGS_HOSTS_BUSY_PERCENT: String(around.hostsBusyPercent),
    TIDINGS_HOSTS_IDLE_SECONDS: String(around.hostsIdleSeconds),
    TIDINGS_DRIVER_URL: `http://127.0.0.1:${around.controlPort}`,
    TIDINGS_DRIVER_TOKEN_FILE: controlToken(around).file,
    ...bus("avatars", `monitor.avatars.${around.domain}`, around),
  };
}

/** The process of the avatar host `host`, such as `h3`. */
export function avatarHost(host: string, around: Surroundings): ProcessSpec {
  const env = {
    TIDINGS_HOST_NAME: host,
    TIDINGS_DYNAMODB_ENDPOINT: around.dynamoEndpoint,
    ...bus("avatars", `${host}.hosts.avatars.${around.domain}`, around),
  };
  return service("avatar-host", `avatar-host-${host}`, env, around);
}

function webApi(around: Surroundings): NodeJS.ProcessEnv {
  return {
    TIDINGS_WEBSUB_SECRET_FILE: hubKeyFile(around),
    ...bus("agents", `web.agents.${around.domain}`, around),
  };
}

function ingestRss(around: Surroundings): NodeJS.ProcessEnv {
  return { TIDINGS_PUBLIC_URL: around.publicUrl, TIDINGS_WEBSUB_SECRET_FILE: hubKeyFile(around) };
}

/** The key of what hubs are told: one service asks them, another one hears them. */
function hubKeyFile({ home }: Surroundings): string {
  const file = join(home, "secrets", "websub");
  secretIn(file);
  return file;
}

function ingestEmail(around: Surroundings): NodeJS.ProcessEnv {
  return {
    TIDINGS_SMTP_PORT: String(around.smtpPort),
    TIDINGS_SMTP_CERTIFICATE_FILE: around.mailCertificate.certificate,
    TIDINGS_SMTP_KEY_FILE: around.mailCertificate.key,
    TIDINGS_MAIL_DNS: around.mailDns,
    ...bus("agents", `inbound.agents.${around.domain}`, around),
  };
}

function agentSms(around: Surroundings, sms: SmsSettings): NodeJS.ProcessEnv {
  return {
    TIDINGS_SMS_CALLBACK_PORT: String(around.smsPort),
    ...sms,
    ...bus("agents", `sms.agents.${around.domain}`, around),
  };
}

function agentEmail(around: Surroundings, mail: MailSettings): NodeJS.ProcessEnv {
  const secret = join(around.home, "secrets", "mail");
  secretIn(secret);
  return {
    TIDINGS_MAIL_SECRET_FILE: secret,
    TIDINGS_MAIL_PUBLIC_PORT: String(around.mailPort),
    ...mail,
    ...bus("agents", `mail.agents.${around.domain}`, around),
  };
}

function bus(role: "agents" | "avatars", component: string, around: Surroundings): NodeJS.ProcessEnv {
  return { TIDINGS_BUS_URL: around.busUrl(role), TIDINGS_BUS_PASSWORD_FILE: around.passwordFile(component) };
}

function service(kind: ServiceKind, name: string, env: NodeJS.ProcessEnv, around: Surroundings): ProcessSpec {
  return {
    name,
    command: process.execPath,
    args: [
      ...(BUSY.has(kind) ? busyNodeArguments : nodeArguments),
      join(ROOT, "services", kind, "src/main.ts"),
    ],
    env: {
      ...nodeEnvironment(around.home),
      ...common(around),
      TIDINGS_METRICS_FILE: join(around.home, "metrics", `${name}.json`),
      ...env,
    },
    ipc: true,
    ready: (child) => child.saidReady,
    readyWithinMs: 60_000,
  };
}

function common(around: Surroundings): NodeJS.ProcessEnv {
  const operatorToken = join(around.home, "secrets", "operator");
  secretIn(operatorToken);
  return {
    TIDINGS_OPERATOR_TOKEN_FILE: operatorToken,
    NODE_EXTRA_CA_CERTS: join(around.home, "ca.crt"),
    TIDINGS_HOME: around.home,
    TIDINGS_DOMAIN: around.domain,
    TIDINGS_LOG_LEVEL: around.logLevel,
    TIDINGS_AMQP_URL: around.amqpUrl,
    TIDINGS_MAIL_DOMAIN: around.mailDomain,
    TIDINGS_WEB_PORT: String(around.webPort),
    TIDINGS_XMPP_PORT: String(around.xmppPort),
    TIDINGS_POLL_MIN_SECONDS: String(around.pollMinSeconds),
    TIDINGS_FETCH_ALLOW: around.fetchAllow,
  };
}
