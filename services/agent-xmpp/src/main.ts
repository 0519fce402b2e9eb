import { connectComponent } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { readSecret, runService } from "@tidings/runtime";
import { Agent } from "./agent.ts";
import { config } from "./config.ts";
import { lateQueue } from "./late-queue.ts";

await runService("agent-xmpp", async ({ log, onStop }) => {
  const settings = config();
  const addresses = addressesOf(settings.TIDINGS_DOMAIN);
  const password = await readSecret(settings.TIDINGS_BUS_PASSWORD_FILE);

  const connecting = connectQueue({ url: settings.TIDINGS_AMQP_URL, log }).then((queue) => {
    onStop(() => queue.stop());
    return queue;
  });
  const bus = connectComponent({ url: settings.TIDINGS_BUS_URL, domain: addresses.im, password, log });
  onStop(() => bus.stop());
  const agent = new Agent({ bus, queue: lateQueue(connecting), addresses, log });
  onStop(() => agent.stop());
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
});
