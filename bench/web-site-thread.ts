/** The thread of {@link ./web-site.ts}: a site whose documents are all the same, and have not changed since they were fetched. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

const { document } = workerData as { readonly document: string };
const headers = {
  "content-type": "application/rss+xml",
  "content-length": Buffer.byteLength(document),
  etag: '"1"',
};

const server = createServer((request, response) => {
  if (request.headers["if-none-match"] === '"1"') response.writeHead(304, { etag: '"1"' }).end();
  else response.writeHead(200, headers).end(document);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.address() as AddressInfo).port));
