import { lookup } from "node:dns/promises";
import { createAddressGuard, createPoster } from "@tidings/outbound";
import { connectQueue } from "@tidings/queue";
import { readSecret, runService } from "@tidings/runtime";
import { HUB_MANNERS } from "./ask-hub.ts";
import { readIngestRssConfig } from "./config.ts";
import { DocumentReader } from "./document-reader.ts";
import { createFetcher } from "./fetch.ts";
import { HostManners } from "./host-manners.ts";
import { ingest } from "./ingest.ts";

await runService("ingest-rss", async ({ log, onStop }) => {
  const config = readIngestRssConfig();
  const guard = createAddressGuard(config.fetchAllow, (hostname) => lookup(hostname, { all: true }));
  const reader = new DocumentReader();
  onStop(() => reader.close());
  const isExempt = (hostname: string) => guard.exempts(hostname);
  const manners = new HostManners({ isExempt });
  const fetcher = createFetcher(guard, { manners, concurrency: config.concurrency });
  onStop(() => fetcher.close());
  const queue = await connectQueue({ url: config.amqpUrl, log });
  onStop(() => queue.stop());
  const poster = createPoster(guard);
  onStop(() => poster.close());
  const hubs = config.hubKeyFile !== null && {
    publicUrl: config.publicUrl ?? `http://127.0.0.1:${config.webPort}`,
    isPublic: config.publicUrl !== null,
    key: await readSecret(config.hubKeyFile),
    guard,
    poster,
    manners: new HostManners({ isExempt, limits: HUB_MANNERS }),
    log,
  };
  onStop(await ingest({ queue, fetcher, reader, hubs: hubs || null, log }, config.concurrency));
});
