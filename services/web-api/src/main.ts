import { checkPassword, connectComponent } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { readSecret, runService } from "@tidings/runtime";
import { createApp } from "./app.ts";
import { readWebConfig } from "./config.ts";

await runService("web-api", async ({ log, onStop }) => {
  const config = readWebConfig(process.env);
  const addresses = addressesOf(config.domain);

  const password = await readSecret(config.busPasswordFile);
  const bus = connectComponent({ url: config.busUrl, domain: addresses.web, password, log });
  onStop(() => bus.stop());
  const queue = await connectQueue({ url: config.amqpUrl, log });
  onStop(() => queue.stop());

  const { operatorTokenFile, hubKeyFile } = config;
  const operatorToken = operatorTokenFile === "" ? null : await readSecret(operatorTokenFile);
  const app = await createApp({
    addresses,
    bus,
    queue,
    checkPassword: (name, password) =>
      checkPassword({ service: config.xmppService, domain: config.domain, name, password }),
    signUpsPerMinute: config.signUpsPerMinute,
    mailDomain: config.mailDomain,
    hubKey: hubKeyFile === "" ? null : await readSecret(hubKeyFile),
    publishesPerMinute: config.publishesPerMinute,
    trustedProxies: config.trustedProxies,
    operatorToken,
    log,
  });
  onStop(() => app.close());
  await app.listen({ host: config.address, port: config.port });
  log.info({ address: config.address, port: config.port }, "listening");
});
