import { connectComponent } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";
import { readSecret, runService } from "@tidings/runtime";
import { hear } from "./answer-calls.ts";
import { readMonitorConfig } from "./config.ts";
import { KeptLeast } from "./kept-least.ts";
import { Monitor } from "./monitor.ts";
import { ProcessDriver } from "./process-driver.ts";

const LOOK_EVERY_MS = 1_000;

await runService("monitor", async ({ log, onStop }) => {
  const config = readMonitorConfig();
  const addresses = addressesOf(config.TIDINGS_DOMAIN);
  const kept = new KeptLeast(config.TIDINGS_HOME);
  const least = kept.read() ?? config.least;
  const idleMs = config.TIDINGS_HOSTS_IDLE_SECONDS * 1_000;

  const monitor = new Monitor({
    driver: new ProcessDriver(config.TIDINGS_DRIVER_URL, await readSecret(config.TIDINGS_DRIVER_TOKEN_FILE)),
    bounds: { least, most: Math.max(config.most, least), idleMs },
    first: Math.max(config.first, least),
    log,
    now: Date.now,
    keep: (asked) => kept.write(asked),
  });
  const password = await readSecret(config.TIDINGS_BUS_PASSWORD_FILE);
  const bus = connectComponent({ url: config.TIDINGS_BUS_URL, domain: addresses.monitor, password, log });
  onStop(() => bus.stop());
  hear({ bus, addresses, monitor, log });
  const timer = setInterval(() => void monitor.look(), LOOK_EVERY_MS);
  onStop(() => clearInterval(timer));
});
