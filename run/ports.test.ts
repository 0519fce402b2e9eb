import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { blockOf, choosePorts, isFree, mustBeFree, PortTaken } from "./ports.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "ports-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const allFree = async () => true;

test("a state folder keeps its ports", async () => {
  const first = await choosePorts(home, allFree);
  expect(await choosePorts(home, allFree)).toEqual(first);
});

test("two state folders have different ports", () => {
  const one = Object.values(blockOf("/home/romeo/.tidings", 0));
  const other = Object.values(blockOf("/home/juliet/.tidings", 0));
  expect(one.filter((port) => other.includes(port))).toEqual([]);
});

test("all ports lie below those that the system gives to outgoing connections", () => {
  for (let attempt = 0; attempt < 500; attempt++) {
    for (const port of Object.values(blockOf(home, attempt))) {
      expect(port).toBeGreaterThanOrEqual(20_000);
      expect(port).toBeLessThan(32_768);
    }
  }
});

test("ports are chosen again when a stranger has taken one of them", async () => {
  const first = await choosePorts(home, allFree);
  const second = await choosePorts(home, async (port) => port !== first.amqp);
  expect(Object.values(second)).not.toContain(first.amqp);
  expect(await choosePorts(home, allFree)).toEqual(second);
});

test("a port on which somebody listens is not free, and its setting is named", async () => {
  const server = await listening();
  const { port } = server.address() as { port: number };
  expect(await isFree(port)).toBe(false);
  await expect(mustBeFree(port, "TIDINGS_WEB_PORT")).rejects.toThrow(PortTaken);
  await expect(mustBeFree(port, "TIDINGS_WEB_PORT")).rejects.toThrow(/set TIDINGS_WEB_PORT/);
  await new Promise((resolve) => server.close(resolve));
  await mustBeFree(port, "TIDINGS_WEB_PORT");
});

function listening(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => resolve(server));
  });
}
