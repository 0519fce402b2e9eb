import { readFile } from "node:fs/promises";
import { connectComponent } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { readSecret, runService } from "@tidings/runtime";
import { config, nameServers } from "./config.ts";
import { inboxStandings } from "./inbox-standings.ts";
import { SenderChecker } from "./sender-check.ts";
import { listen, smtpServer } from "./server.ts";

await runService("ingest-email", async ({ log, onStop }) => {
  const settings = config();
  const { TIDINGS_MAIL_DOMAIN: mailDomain, TIDINGS_SMTP_CERTIFICATE_FILE: certificate } = settings;
  const addresses = addressesOf(settings.TIDINGS_DOMAIN);
  const password = await readSecret(settings.TIDINGS_BUS_PASSWORD_FILE);
  const bus = connectComponent({ url: settings.TIDINGS_BUS_URL, domain: addresses.inbound, password, log });
  onStop(() => bus.stop());
  const queue = await connectQueue({ url: settings.TIDINGS_AMQP_URL, log });
  onStop(() => queue.stop());
  const [cert, key] = await Promise.all(
    certificate === ""
      ? ["", ""]
      : [certificate, settings.TIDINGS_SMTP_KEY_FILE].map((path) => readFile(path, "utf8")),
  );
  const server = smtpServer({
    mailDomain,
    ownListDomain: mailDomain,
    standings: inboxStandings(bus, addresses),
    senders: new SenderChecker({ dns: nameServers(settings.TIDINGS_MAIL_DNS), name: mailDomain, log }),
    perMinute: settings.TIDINGS_SMTP_PER_MINUTE,
    tls: cert === "" ? null : { cert, key },
    queue,
    log,
  });
  onStop(() => new Promise<void>((closed) => server.close(() => closed())));
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
  const { TIDINGS_SMTP_PORT: port, TIDINGS_SMTP_ADDRESS: host } = settings;
  await listen(server, port, host);
  log.info({ host, port }, "listening for mail");
});
