import { connectComponent } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";
import { readSecret, runService } from "@tidings/runtime";
import { Agent } from "./agent.ts";
import { callbacks, listen } from "./callbacks.ts";
import { config } from "./config.ts";
import { openLedger } from "./open-ledger.ts";
import { TwilioProvider } from "./provider.ts";

await runService("agent-sms", async ({ log, onStop }) => {
  const settings = config();
  const { account, limits, countries, TIDINGS_SMS_CALLBACK_URL: publicUrl } = settings;
  const addresses = addressesOf(settings.TIDINGS_DOMAIN);
  const password = await readSecret(settings.TIDINGS_BUS_PASSWORD_FILE);
  const ledger = openLedger(settings.TIDINGS_HOME);
  onStop(() => ledger.close());

  const bus = connectComponent({ url: settings.TIDINGS_BUS_URL, domain: addresses.sms, password, log });
  onStop(() => bus.stop());
  const provider = new TwilioProvider(account);
  const callbackUrl = publicUrl === "" ? null : publicUrl;
  const agent = new Agent({ bus, addresses, provider, ledger, limits, countries, callbackUrl, log });
  onStop(() => agent.stop());
  if (countries.size === 0) log.warn("nothing is sent: TIDINGS_SMS_COUNTRIES allows no country");

  if (callbackUrl !== null) {
    const app = callbacks({ ...account, publicUrl, agent, log });
    onStop(() => app.close());
    await listen(app, settings.TIDINGS_SMS_CALLBACK_PORT);
  }
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
});
