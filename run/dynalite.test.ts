import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateTableCommand, DynamoDBClient, PutItemCommand, QueryCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dynalite } from "./dynalite.ts";
import { type LogFile, openLogFile } from "./log-file.ts";
import { Supervised } from "./supervised.ts";

const TABLE = "juliet";
/** Below the 400 KB that DynamoDB takes. */
const BODY = "x".repeat(350_000);
/** What LevelDB writes to its files at a time: twelve bodies. */
const BODIES = 12;

let home: string;
let log: LogFile;
let server: Supervised;
let client: DynamoDBClient;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "dynalite-"));
  log = openLogFile(join(home, "log"), 100_000);
  const { spec, endpoint } = dynalite(home, await freePort());
  server = new Supervised(spec, log, () => {});
  await server.start();
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  client = new DynamoDBClient({ endpoint, region: "local", credentials });
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: "PAY_PER_REQUEST",
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      AttributeDefinitions: [
        { AttributeName: "pk", AttributeType: "S" },
        { AttributeName: "sk", AttributeType: "S" },
      ],
    }),
  );
});

afterEach(async () => {
  client.destroy();
  await server.stop(5_000);
  log.close();
  rmSync(home, { recursive: true });
});

test("a query that was answered keeps nothing of what is written over afterwards", async () => {
  for (let round = 0; round < 10; round++) await writesAndAsks();
  const before = ownMegabytes();
  for (let round = 0; round < 30; round++) await writesAndAsks();
  // One memtable of 4 MB and more for each query when it does; a few megabytes up and down when not.
  expect(ownMegabytes() - before).toBeLessThan(60);
});

async function writesAndAsks(): Promise<void> {
  for (let at = 0; at < BODIES; at++)
    await client.send(
      new PutItemCommand({
        TableName: TABLE,
        Item: { pk: { S: "p" }, sk: { S: `${at}` }, body: { S: BODY } },
      }),
    );
  await client.send(
    new QueryCommand({
      TableName: TABLE,
      Limit: 1,
      KeyConditionExpression: "pk = :pk",
      ExpressionAttributeValues: { ":pk": { S: "p" } },
    }),
  );
}

function ownMegabytes(): number {
  const status = readFileSync(`/proc/${server.pid}/status`, "utf8");
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1_024;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
