import { lookup } from "node:dns/promises";
import { createAddressGuard } from "@tidings/outbound";
import { connectQueue } from "@tidings/queue";
import { runService } from "@tidings/runtime";
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
  const manners = new HostManners({ isExempt: (hostname) => guard.exempts(hostname) });
  const fetcher = createFetcher(guard, { manners, concurrency: config.concurrency });
  onStop(() => fetcher.close());
  const queue = await connectQueue({ url: config.amqpUrl, log });
  onStop(() => queue.stop());
  onStop(await ingest({ queue, fetcher, reader, log }, config.concurrency));
});
