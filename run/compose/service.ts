/**
 * One service in its container: `node service.ts <kind>`, told what `npm start` tells it, with the names of containers in the
 * place of loopback addresses. Its own folder is /data; what is secret it reads from /shared.
 */
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { readSecret } from "@tidings/runtime";
import { mailSettings } from "../mail-settings.ts";
import { RABBITMQ_USER, RABBITMQ_VHOST } from "../rabbitmq-config.ts";
import {
  avatarHost,
  SERVICE_KINDS,
  type ServiceKind,
  type Surroundings,
  serviceProcesses,
} from "../services.ts";
import { readSettings } from "../settings.ts";
import { smsSettings } from "../sms-settings.ts";
import { runInForeground } from "./foreground.ts";
import { AMQP_PASSWORD_FILE, ANY_ADDRESS, DATA, nodeHost, PORTS, SHARED } from "./places.ts";
import { replicaNumber } from "./replica.ts";

const kind = process.argv[2] as ServiceKind;
if (!SERVICE_KINDS.includes(kind)) throw new Error(`usage: service.ts ${SERVICE_KINDS.join("|")}`);

// The services find secrets and the authority below their own folder.
mkdirSync(DATA, { recursive: true });
for (const name of ["secrets", "ca.crt"])
  if (!existsSync(join(DATA, name))) symlinkSync(join(SHARED, name), join(DATA, name));

const settings = readSettings({ ...process.env, TIDINGS_HOME: DATA }, "/");
const password = await readSecret(AMQP_PASSWORD_FILE);
const around: Surroundings = {
  home: DATA,
  domain: settings.TIDINGS_DOMAIN,
  amqpUrl: `amqp://${RABBITMQ_USER}:${password}@rabbitmq:${PORTS.amqp}/${RABBITMQ_VHOST}`,
  dynamoEndpoint: settings.TIDINGS_DYNAMODB_ENDPOINT,
  webPort: PORTS.web,
  xmppPort: PORTS.client,
  publicUrl: settings.TIDINGS_PUBLIC_URL,
  hostsLeast: null,
  hostsMost: null,
  hostsBusyPercent: settings.TIDINGS_HOSTS_BUSY_PERCENT,
  hostsIdleSeconds: settings.TIDINGS_HOSTS_IDLE_SECONDS,
  monitors: 1,
  controlPort: 0,
  pollMinSeconds: settings.TIDINGS_POLL_MIN_SECONDS,
  fetchAllow: settings.TIDINGS_FETCH_ALLOW,
  logLevel: settings.TIDINGS_LOG_LEVEL,
  sms: smsSettings(settings),
  smsPort: 8_090,
  mail: mailSettings(settings),
  mailPort: 8_091,
  smtpPort: PORTS.smtp,
  mailDomain: settings.TIDINGS_MAIL_DOMAIN,
  mailDns: settings.TIDINGS_MAIL_DNS,
  mailCertificate: { certificate: join(SHARED, "tls", "mail.crt"), key: join(SHARED, "tls", "mail.key") },
  busUrl: (role) => `xmpp://${nodeHost(role)}:${PORTS.component}`,
  passwordFile: (component) => join(SHARED, "secrets", component),
};

const own = {
  TIDINGS_METRICS_ADDRESS: ANY_ADDRESS,
  TIDINGS_METRICS_PORT: String(PORTS.metrics),
  TIDINGS_WEB_ADDRESS: ANY_ADDRESS,
  TIDINGS_XMPP_ADDRESS: nodeHost("users"),
  TIDINGS_SMTP_ADDRESS: ANY_ADDRESS,
  // Hosts are started by whoever started this container.
  TIDINGS_DRIVER_URL: "",
};
const [spec] =
  kind === "avatar-host"
    ? [avatarHost(`h${await replicaNumber(kind)}`, around)]
    : serviceProcesses(kind, settings.TIDINGS_HOSTS, around);
if (spec === undefined) {
  process.stdout.write(`${kind} is not set up: see the README for its settings\n`);
  process.exit(0);
}
process.exit(await runInForeground({ ...spec, env: { ...spec.env, ...own } }));
