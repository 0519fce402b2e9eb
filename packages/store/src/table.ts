/** The one DynamoDB table of an installation, with the few operations that the store is built of. */
import { setTimeout as pause } from "node:timers/promises";
import {
  type AttributeValue,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ResourceInUseException,
  ScanCommand,
  UpdateItemCommand,
  type WriteRequest,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { backOffMs } from "@tidings/runtime";
import { refusalOf, type TablePlace, unreachableOf } from "./table-error.ts";

export type Item = Record<string, AttributeValue>;

/** An item and its key. */
export interface PlacedItem {
  readonly pk: string;
  readonly sk: string;
  readonly item: Item;
}

export interface TableOptions {
  /** `http://…` of a DynamoDB endpoint, or `aws` for AWS itself with the credentials of the environment. */
  readonly endpoint: string;
  readonly table?: string;
  /** Longest wait for an answer (milliseconds); default 5,000. */
  readonly requestTimeoutMs?: number;
}

const REQUEST_TIMEOUT_MS = 5_000;

/** Most writes in one request, DynamoDB's limit for BatchWriteItem. */
const BATCH = 25;
const BATCH_ATTEMPTS = 8;
const BATCH_RETRY = { firstMs: 50, maxMs: 5_000 };

export class Table {
  readonly #client: DynamoDBClient;
  readonly #name: string;
  readonly #place: TablePlace;

  constructor({ endpoint, table = "tidings", requestTimeoutMs = REQUEST_TIMEOUT_MS }: TableOptions) {
    this.#name = table;
    this.#place = { table, endpoint };
    const requestHandler = {
      connectionTimeout: 2_000,
      requestTimeout: requestTimeoutMs,
      // Without it the library only warns, and a request on a half-open connection waits for ever.
      throwOnRequestTimeout: true,
    };
    this.#client = new DynamoDBClient(
      endpoint === "aws"
        ? { requestHandler }
        : {
            endpoint,
            region: "local",
            credentials: { accessKeyId: "local", secretAccessKey: "local" },
            maxAttempts: 1,
            requestHandler,
          },
    );
    sayWhatRefuses(this.#client, this.#place);
  }

  /**
   * Creates the table when it does not exist and resolves when it can be used. Safe to call from many at once. Rejects with
   * TableRefusedError, and with TableUnreachableError when nobody answers.
   */
  async create(): Promise<void> {
    try {
      await this.#client.send(
        new CreateTableCommand({
          TableName: this.#name,
          BillingMode: "PAY_PER_REQUEST",
          AttributeDefinitions: [
            { AttributeName: "pk", AttributeType: "S" },
            { AttributeName: "sk", AttributeType: "S" },
          ],
          KeySchema: [
            { AttributeName: "pk", KeyType: "HASH" },
            { AttributeName: "sk", KeyType: "RANGE" },
          ],
        }),
      );
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw unreachableOf(error, this.#place);
    }
    await waitUntilTableExists(
      { client: this.#client, maxWaitTime: 60, minDelay: 1 },
      { TableName: this.#name },
    );
  }

  /** The item, by a consistent read, or undefined. */
  async get(pk: string, sk: string): Promise<Item | undefined> {
    const answer = await this.#client.send(
      new GetItemCommand({ TableName: this.#name, Key: key(pk, sk), ConsistentRead: true }),
    );
    return answer.Item;
  }

  /** Writes the item without a condition. */
  async put(pk: string, sk: string, item: Item): Promise<void> {
    await this.#client.send(new PutItemCommand({ TableName: this.#name, Item: { ...item, ...key(pk, sk) } }));
  }

  /** Writes the item if its key is free: true, or false when it is taken. */
  putIfAbsent(pk: string, sk: string, item: Item): Promise<boolean> {
    return this.#conditionally(
      new PutItemCommand({
        TableName: this.#name,
        Item: { ...item, ...key(pk, sk) },
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    );
  }

  /** Replaces the item if `field` holds `expected` (or the item is absent, for undefined): true, or false. */
  replaceIf(
    pk: string,
    sk: string,
    field: string,
    expected: AttributeValue | undefined,
    item: Item,
  ): Promise<boolean> {
    return this.#conditionally(
      new PutItemCommand({
        TableName: this.#name,
        Item: { ...item, ...key(pk, sk) },
        ...(expected === undefined
          ? { ConditionExpression: "attribute_not_exists(pk)" }
          : {
              ConditionExpression: "#f = :f",
              ExpressionAttributeNames: { "#f": field },
              ExpressionAttributeValues: { ":f": expected },
            }),
      }),
    );
  }

  /** Sets `field` of an existing or new item. */
  async set(pk: string, sk: string, field: string, value: AttributeValue): Promise<void> {
    await this.#client.send(
      new UpdateItemCommand({
        TableName: this.#name,
        Key: key(pk, sk),
        UpdateExpression: "SET #f = :f",
        ExpressionAttributeNames: { "#f": field },
        ExpressionAttributeValues: { ":f": value },
      }),
    );
  }

  /** Items of `pk` in the order of their sort keys, read consistently page by page. */
  async *query(
    pk: string,
    range: { after?: string; upto?: string; reverse?: boolean; limit?: number; keysOnly?: boolean } = {},
  ): AsyncGenerator<Item> {
    let start: Item | undefined;
    do {
      const page = await this.#client.send(
        new QueryCommand({
          TableName: this.#name,
          ConsistentRead: true,
          ScanIndexForward: !range.reverse,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :upto",
          ExpressionAttributeValues: {
            ":pk": { S: pk },
            ":from": { S: range.after === undefined ? " " : `${range.after}\u0001` },
            ":upto": { S: range.upto ?? "\uffff" },
          },
          ...(range.keysOnly ? { ProjectionExpression: "pk, sk" } : {}),
          ...(range.limit === undefined ? {} : { Limit: range.limit }),
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      yield* page.Items ?? [];
      start = range.limit === undefined ? page.LastEvaluatedKey : undefined;
    } while (start !== undefined);
  }

  /** Every item whose `pk` begins with `prefix`, in no order, page by page. It reads the whole table: for back-ups alone. */
  async *scan(prefix: string): AsyncGenerator<Item> {
    let start: Item | undefined;
    do {
      const page = await this.#client.send(
        new ScanCommand({
          TableName: this.#name,
          ConsistentRead: true,
          FilterExpression: "begins_with(pk, :prefix)",
          ExpressionAttributeValues: { ":prefix": { S: prefix } },
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      yield* page.Items ?? [];
      start = page.LastEvaluatedKey;
    } while (start !== undefined);
  }

  /** Writes items without a condition, in no order. Rejects when any may not have been written. */
  async putAll(items: readonly PlacedItem[]): Promise<void> {
    await this.#batch(
      items.map(({ pk, sk, item }) => ({ PutRequest: { Item: { ...item, ...key(pk, sk) } } })),
    );
  }

  /** Deletes items, also those that do not exist. */
  async delete(pk: string, sks: readonly string[]): Promise<void> {
    await this.#batch(sks.map((sk) => ({ DeleteRequest: { Key: key(pk, sk) } })));
  }

  /** Closes the connections. */
  stop(): void {
    this.#client.destroy();
  }

  /** What the table did not get to is asked for again, later each time: it may be throttled. */
  async #batch(all: readonly WriteRequest[]): Promise<void> {
    for (let from = 0; from < all.length; from += BATCH) {
      let requests = all.slice(from, from + BATCH);
      for (let attempt = 1; requests.length > 0; attempt++) {
        const answer = await this.#client.send(
          new BatchWriteItemCommand({ RequestItems: { [this.#name]: requests } }),
        );
        requests = answer.UnprocessedItems?.[this.#name] ?? [];
        if (requests.length === 0) break;
        if (attempt === BATCH_ATTEMPTS) throw new Error(`${requests.length} items were not written`);
        await pause(backOffMs(attempt, BATCH_RETRY, Math.random()));
      }
    }
  }

  async #conditionally(command: PutItemCommand): Promise<boolean> {
    try {
      await this.#client.send(command);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}

/** Every request that the table refuses for good rejects with a sentence that says what to do. */
function sayWhatRefuses(client: DynamoDBClient, place: TablePlace): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        throw refusalOf(error, place);
      }
    },
    { step: "initialize", priority: "high", name: "sayWhatRefuses" },
  );
}

function key(pk: string, sk: string): Item {
  return { pk: { S: pk }, sk: { S: sk } };
}
