import { lookup } from "node:dns/promises";
import { carryAnswers, DeliveryLedger, openLedgerFile } from "@tidings/agent";
import { connectComponent } from "@tidings/bus";
import { createAddressGuard, createPoster } from "@tidings/outbound";
import { addressesOf, QUEUES } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { readSecret, runService } from "@tidings/runtime";
import { Agent } from "./agent.ts";
import { config } from "./config.ts";

await runService("agent-webhook", async ({ log, onStop }) => {
  const settings = config();
  const addresses = addressesOf(settings.TIDINGS_DOMAIN);
  const password = await readSecret(settings.TIDINGS_BUS_PASSWORD_FILE);
  const ledger = openLedgerFile(settings.TIDINGS_HOME, "webhook", (path) => new DeliveryLedger(path));
  onStop(() => ledger.close());
  const guard = createAddressGuard(settings.fetchAllow, (hostname) => lookup(hostname, { all: true }));
  const poster = createPoster(guard);
  onStop(() => poster.close());

  const queue = await connectQueue({ url: settings.TIDINGS_AMQP_URL, log });
  onStop(() => queue.stop());
  onStop(await carryAnswers(QUEUES.callback, { queue, carry: (job) => poster.post(job), log }));

  const bus = connectComponent({ url: settings.TIDINGS_BUS_URL, domain: addresses.webhook, password, log });
  onStop(() => bus.stop());
  const agent = new Agent({ bus, addresses, poster, ledger, log });
  onStop(() => agent.stop());
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
});
