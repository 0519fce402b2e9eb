import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Table } from "@tidings/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DynamoLink } from "./dynamo-link.ts";
import { readDynamoRequest } from "./dynamo-request.ts";

/** Stands for DynamoDB: takes everything, and writes down what it was asked to do. */
let dynamo: Server;
let applied: string[];
let link: DynamoLink;
let table: Table;

beforeEach(async () => {
  applied = [];
  dynamo = createServer(async (request, response) => {
    const body = (await request.toArray()).join("");
    applied.push(readDynamoRequest(String(request.headers["x-amz-target"]), body).operation);
    response.writeHead(200, { "content-type": "application/x-amz-json-1.0" }).end("{}");
  });
  dynamo.listen(0, "127.0.0.1");
  await once(dynamo, "listening");
  link = await DynamoLink.open({ name: "h1 to dynamo", target: (dynamo.address() as AddressInfo).port });
  table = new Table({ endpoint: `http://127.0.0.1:${link.port}` });
});

afterEach(async () => {
  table.stop();
  await link.close();
  dynamo.close();
  dynamo.closeAllConnections();
});

const write = () => table.putIfAbsent("J#s1#17", "4711", { epoch: { N: "3" } });

test("a write whose reply is lost is applied, and who wrote it hears of a broken connection", async () => {
  link.losesReplies(({ isWrite }) => isWrite);
  await expect(write()).rejects.toThrow();
  expect(applied).toEqual(["PutItem"]);
  expect(link.lost).toBe(1);
  await table.get("J#s1#17", "4711");
  link.heals();
  expect(await write()).toBe(true);
});

test("a request that is refused is not applied, and is not refused for good", async () => {
  link.refuses(() => true);
  await expect(write()).rejects.toThrow(/throughput/);
  expect(applied).toEqual([]);
  expect(link.refused).toBe(1);
  link.heals();
  expect(await write()).toBe(true);
});

test("who watches sees the table, the key and the epoch, on the way out and on the way back", async () => {
  const seen: unknown[] = [];
  link.watches((request, reply) => seen.push([request, reply]));
  await write();
  const request = {
    operation: "PutItem",
    table: "tidings",
    keys: [{ pk: "J#s1#17", sk: "4711" }],
    epoch: 3,
    kind: null,
    blob: null,
    isWrite: true,
  };
  expect(seen).toEqual([
    [request, null],
    [request, { status: 200, isPassedOn: true }],
  ]);
});

test("a link to DynamoDB can be cut like any other", async () => {
  link.cuts();
  await expect(write()).rejects.toThrow();
  link.heals();
  expect(await write()).toBe(true);
});

test("a batch names all items that it removes", () => {
  const body = {
    RequestItems: { tidings: [{ DeleteRequest: { Key: { pk: { S: "a" }, sk: { S: "1" } } } }] },
  };
  const request = readDynamoRequest("DynamoDB_20120810.BatchWriteItem", JSON.stringify(body));
  expect(request).toMatchObject({
    table: "tidings",
    keys: [{ pk: "a", sk: "1" }],
    isWrite: true,
    epoch: null,
  });
});
