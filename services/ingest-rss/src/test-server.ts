/** For tests: an HTTP server on loopback that answers as it is told, path by path. */

import { lookup } from "node:dns/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createAddressGuard } from "@tidings/outbound";
import { createFetcher, FETCH_LIMITS, type Fetcher, type FetchLimits } from "./fetch.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface TestServer {
  readonly url: string;
  readonly port: number;
  /** What was asked, in order. */
  readonly requests: IncomingMessage[];
  /** Answers `path` with `how`: a handler, or a body with its headers. */
  on(path: string, how: Answer | string | Buffer, headers?: Record<string, string>): void;
  close(): Promise<void>;
}

/** Starts a server; everything that it was not told is answered with 404. */
export async function startTestServer(): Promise<TestServer> {
  const answers = new Map<string, Answer>();
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const answer = answers.get(request.url ?? "");
    if (answer === undefined) response.writeHead(404).end("nothing here");
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    on: (path, how, headers = {}) =>
      answers.set(
        path,
        typeof how === "function" ? how : (_request, response) => response.writeHead(200, headers).end(how),
      ),
    close: () => closed(server),
  };
}

/** A fetcher that may fetch from loopback, with `limits` instead of the usual ones. */
export function loopbackFetcher(limits: Partial<FetchLimits> = {}): Fetcher {
  const guard = createAddressGuard(["127.0.0.0/8"], (hostname) => lookup(hostname, { all: true }));
  return createFetcher(guard, { limits: { ...FETCH_LIMITS, ...limits } });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
