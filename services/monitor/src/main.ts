import { readSecret, runService } from "@tidings/runtime";
import { MonitorRows, Table } from "@tidings/store";
import { readMonitorConfig } from "./config.ts";
import { Leadership, RENEW_EVERY_MS } from "./leadership.ts";
import { Office } from "./office.ts";
import { ProcessDriver } from "./process-driver.ts";
import { Watch } from "./watch.ts";

await runService("monitor", async ({ log, onStop }) => {
  const config = readMonitorConfig();
  const table = new Table({ endpoint: config.TIDINGS_DYNAMODB_ENDPOINT });
  onStop(() => table.stop());
  await table.create();
  const rows = new MonitorRows(table);
  const { TIDINGS_DRIVER_URL: driverUrl } = config;
  const driver =
    driverUrl === ""
      ? null
      : new ProcessDriver(driverUrl, await readSecret(config.TIDINGS_DRIVER_TOKEN_FILE));
  const password = await readSecret(config.TIDINGS_BUS_PASSWORD_FILE);
  const name = config.TIDINGS_MONITOR_NAME;
  const leadership = new Leadership({ rows, name, nowMs: () => performance.now(), log });
  const leads = () => leadership.leads;
  const take = () => Office.take({ config, password, rows, driver, leads, log });
  const watch = new Watch(leadership, take, log);
  onStop(() => watch.stop());
  await watch.start(RENEW_EVERY_MS);
});
