/** `npm start`: the whole installation until a signal comes. Exit code 0 after a signal, 1 when it could not start. */
import { killNow } from "./leftovers.ts";
import { mailSettings } from "./mail-settings.ts";
import { onOrphaned } from "./prepare/orphaned.mjs";
import { readSettings, type Settings } from "./settings.ts";
import { missingForSms, smsSettings } from "./sms-settings.ts";
import { type Stack, startStack } from "./stack.ts";
import { onStopSignals } from "./stop-signals.ts";
import { openTerminal } from "./terminal.ts";
import { secondsSince } from "./time-text.ts";

const terminal = openTerminal();
const startedAt = performance.now();
const aborted = new AbortController();
let stack: Stack | null = null;

try {
  const settings = readSettings(process.env, process.cwd());
  onStopSignals(
    () => void stopAll(),
    () => killAll(settings.TIDINGS_HOME),
  );
  onOrphaned(() => void stopAll());
  process.on("uncaughtException", (error) => {
    terminal.progress(`unexpected: ${error.stack ?? error.message}`);
    process.exitCode = 1;
    void stopAll();
  });
  terminal.progress(`starting Tidings in ${settings.TIDINGS_HOME}`);
  const missing = missingForSms(settings);
  if (missing !== null) terminal.progress(missing);
  stack = await startStack(optionsFrom(settings));
  terminal.progress(
    `all of it answers after ${secondsSince(startedAt)}; logs in ${settings.TIDINGS_HOME}/logs`,
  );
  terminal.announce(`tidings ready ${stack.webUrl}`);
} catch (error) {
  if (!aborted.signal.aborted) {
    terminal.progress((error as Error).message);
    process.exitCode = 1;
  }
}

async function stopAll(): Promise<void> {
  aborted.abort();
  terminal.progress("stopping");
  const stoppingAt = performance.now();
  await stack?.stop();
  if (!stack) return;
  terminal.progress(`stopped after ${secondsSince(stoppingAt)}`);
  process.exit();
}

function killAll(home: string): never {
  terminal.progress("killing everything at once");
  killNow(home);
  process.exit(1);
}

function optionsFrom(settings: Settings) {
  return {
    home: settings.TIDINGS_HOME,
    domain: settings.TIDINGS_DOMAIN,
    webPort: settings.TIDINGS_WEB_PORT,
    xmppPort: settings.TIDINGS_XMPP_PORT,
    publicUrl: settings.TIDINGS_PUBLIC_URL,
    smtpPort: settings.TIDINGS_SMTP_PORT ?? ("2525 or free" as const),
    mailDomain: settings.TIDINGS_MAIL_DOMAIN,
    mailDns: settings.TIDINGS_MAIL_DNS,
    hosts: settings.TIDINGS_HOSTS,
    hostsLeast: settings.TIDINGS_HOSTS_LEAST ?? null,
    hostsMost: settings.TIDINGS_HOSTS_MOST ?? null,
    hostsBusyPercent: settings.TIDINGS_HOSTS_BUSY_PERCENT,
    hostsIdleSeconds: settings.TIDINGS_HOSTS_IDLE_SECONDS,
    monitors: settings.TIDINGS_MONITORS,
    pollMinSeconds: settings.TIDINGS_POLL_MIN_SECONDS,
    fetchAllow: settings.TIDINGS_FETCH_ALLOW,
    amqpUrl: settings.TIDINGS_AMQP_URL,
    dynamoEndpoint: settings.TIDINGS_DYNAMODB_ENDPOINT,
    tlsDir: settings.TIDINGS_TLS_DIR ?? "",
    sms: smsSettings(settings),
    mail: mailSettings(settings),
    logLevel: settings.TIDINGS_LOG_LEVEL,
    tell: terminal.progress,
    signal: aborted.signal,
  };
}
