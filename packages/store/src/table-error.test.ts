import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Journal } from "./journal.ts";
import { Table } from "./table.ts";
import { TableRefusedError, TableUnreachableError } from "./table-error.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A table whose endpoint answers everything with one error of DynamoDB. */
async function tableThatAnswers(type: string): Promise<{ table: Table; endpoint: string }> {
  const server = createServer((_request, response) => {
    response.writeHead(400, { "content-type": "application/x-amz-json-1.0" });
    response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: "no" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const table = new Table({ endpoint, table: "news" });
  closers.push(
    () => table.stop(),
    () => server.close(),
  );
  return { table, endpoint };
}

test.for([
  ["ResourceNotFoundException", "restore the table"],
  ["AccessDeniedException", "allow dynamodb:GetItem"],
  ["UnrecognizedClientException", "AWS_ACCESS_KEY_ID"],
  ["ExpiredTokenException", "the credentials are not taken"],
  ["ValidationException", "the keys pk and sk"],
])("%s names the table, the endpoint and the way out", async ([type = "", way = ""]) => {
  const { table, endpoint } = await tableThatAnswers(type);

  const error = await table.get("H#", "h1").catch((reason: Error) => reason);

  expect(error).toBeInstanceOf(TableRefusedError);
  expect((error as Error).message).toContain(`DynamoDB table "news" at ${endpoint}`);
  expect((error as Error).message).toContain(way);
  expect((error as Error).message).toContain(type);
});

test("a table that cannot be created says why", async () => {
  const { table } = await tableThatAnswers("AccessDeniedException");
  await expect(table.create()).rejects.toThrow("allow dynamodb:GetItem");
});

test("a table at whose endpoint nobody listens says so, and what to check", async () => {
  const { table, endpoint } = await tableThatAnswers("nothing");
  closers.pop()?.();
  const error = await table.create().catch((reason: Error) => reason);

  expect(error).toBeInstanceOf(TableUnreachableError);
  expect((error as Error).message).toContain(`DynamoDB at ${endpoint} does not answer`);
  expect((error as Error).message).toContain("TIDINGS_DYNAMODB_ENDPOINT");
});

test("a journal does not try again what its table refuses for good", async () => {
  const { table } = await tableThatAnswers("ResourceNotFoundException");
  const journal = new Journal(table, "s1", 3);
  await expect(journal.fence(1, async () => ({ seq: 0, epoch: 0 }))).rejects.toThrow(TableRefusedError);
});
