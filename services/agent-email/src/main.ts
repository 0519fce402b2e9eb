import { DeliveryLedger, openLedgerFile } from "@tidings/agent";
import { connectComponent } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { readSecret, runService } from "@tidings/runtime";
import { Agent } from "./agent.ts";
import { answerByMail } from "./answer-mail.ts";
import { config } from "./config.ts";
import { hearMail } from "./mail-queue.ts";
import { serveOneClick } from "./one-click.ts";
import { SmtpRelay } from "./relay.ts";
import { Tokens } from "./tokens.ts";

await runService("agent-email", async ({ log, onStop }) => {
  const settings = config();
  const { TIDINGS_MAIL_FROM: from, TIDINGS_MAIL_DOMAIN: mailDomain } = settings;
  const publicUrl = settings.TIDINGS_MAIL_PUBLIC_URL || null;
  const addresses = addressesOf(settings.TIDINGS_DOMAIN);
  const password = await readSecret(settings.TIDINGS_BUS_PASSWORD_FILE);
  const tokens = new Tokens(await readSecret(settings.TIDINGS_MAIL_SECRET_FILE), mailDomain);
  const ledger = openLedgerFile(settings.TIDINGS_HOME, "email", (path) => new DeliveryLedger(path));
  onStop(() => ledger.close());
  const bus = connectComponent({ url: settings.TIDINGS_BUS_URL, domain: addresses.email, password, log });
  onStop(() => bus.stop());
  const relay = new SmtpRelay({ url: settings.TIDINGS_SMTP_RELAY, name: mailDomain });
  onStop(() => relay.close());
  const sender = { from, mailDomain, tokens, publicUrl };
  const agent = new Agent({ bus, addresses, relay, ledger, sender, log });
  onStop(() => agent.stop());

  const queue = await connectQueue({ url: settings.TIDINGS_AMQP_URL, log });
  onStop(() => queue.stop());
  onStop(await hearMail({ queue, agent, log }));
  onStop(await answerByMail({ queue, relay, ledger, mailDomain, log }));

  if (publicUrl !== null) onStop(await serveOneClick(agent, settings.TIDINGS_MAIL_PUBLIC_PORT));
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
});
