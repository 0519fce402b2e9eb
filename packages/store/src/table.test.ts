import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Table } from "./table.ts";

/** Accepts connections, and never says a word: the far end of a half-open link. */
let silence: Server;

beforeEach(async () => {
  silence = createServer();
  silence.listen(0, "127.0.0.1");
  await once(silence, "listening");
});
afterEach(() => void silence.close());

test("a request that nobody answers rejects when its time is up", async () => {
  const { port } = silence.address() as AddressInfo;
  const table = new Table({ endpoint: `http://127.0.0.1:${port}`, requestTimeoutMs: 50 });
  await expect(table.get("H#", "h1")).rejects.toThrow(/50 ms/);
  table.stop();
});
