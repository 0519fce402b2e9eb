import { connectComponent } from "@tidings/bus";
import { addressesOf, hostAddress } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { readSecret, runService } from "@tidings/runtime";
import { checkLayout, Table } from "@tidings/store";
import { readHostConfig } from "./config.ts";
import { AvatarHost } from "./host.ts";
import { LoadReports } from "./load.ts";

await runService("avatar-host", async (service) => {
  const config = readHostConfig();
  const { log } = service;
  const table = new Table({ endpoint: config.TIDINGS_DYNAMODB_ENDPOINT });
  const leaseTable = new Table({ endpoint: config.TIDINGS_DYNAMODB_ENDPOINT });
  service.onStop(() => {
    table.stop();
    leaseTable.stop();
  });
  await table.create();
  await checkLayout(table);

  const queue = await connectQueue({ url: config.TIDINGS_AMQP_URL, log });
  service.onStop(() => queue.stop());

  const password = await readSecret(config.TIDINGS_BUS_PASSWORD_FILE);
  const domain = hostAddress(config.TIDINGS_DOMAIN, config.TIDINGS_HOST_NAME);
  const bus = connectComponent({ url: config.TIDINGS_BUS_URL, domain, password, log });
  service.onStop(() => bus.stop());

  const host = new AvatarHost({ config, bus, queue, table, leaseTable, service });
  service.onStop(() => host.stop());
  await host.start();
  const { monitor } = addressesOf(config.TIDINGS_DOMAIN);
  const reports = new LoadReports(bus, monitor, () => host.load, process.memoryUsage.rss);
  service.onStop(() => reports.stop());
});
