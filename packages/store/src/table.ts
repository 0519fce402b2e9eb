/** The one DynamoDB table of an installation, with the few operations that the store is built of. */
import {
  type AttributeValue,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ResourceInUseException,
  ScanCommand,
  UpdateItemCommand,
  waitUntilTableExists,
} from "@aws-sdk/client-dynamodb";
import { refusalOf, type TablePlace, unreachableOf } from "./table-error.ts";

export type Item = Record<string, AttributeValue>;

export interface TableOptions {
  /** `http://…` of a DynamoDB endpoint, or `aws` for AWS itself with the credentials of the environment. */
  readonly endpoint: string;
  readonly table?: string;
  /** Longest wait for an answer (milliseconds); default 5,000. */
  readonly requestTimeoutMs?: number;
}

const REQUEST_TIMEOUT_MS = 5_000;

/** Most deletions in one request, DynamoDB's limit for BatchWriteItem. */
const BATCH = 25;

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

  /** Writes the item unless there is one with a number in `field` as high as the new one: true, or false when there is. */
  putIfHigher(pk: string, sk: string, field: string, item: Item): Promise<boolean> {
    return this.#conditionally(
      new PutItemCommand({
        TableName: this.#name,
        Item: { ...item, ...key(pk, sk) },
        ConditionExpression: "attribute_not_exists(#f) OR #f < :f",
        ExpressionAttributeNames: { "#f": field },
        ExpressionAttributeValues: { ":f": item[field] as AttributeValue },
      }),
    );
  }

  /** Deletes the item unless `field` holds a number as high as `value`: true, or false when it does. */
  deleteIfLower(pk: string, sk: string, field: string, value: AttributeValue): Promise<boolean> {
    return this.#conditionally(
      new DeleteItemCommand({
        TableName: this.#name,
        Key: key(pk, sk),
        ConditionExpression: "attribute_not_exists(#f) OR #f < :f",
        ExpressionAttributeNames: { "#f": field },
        ExpressionAttributeValues: { ":f": value },
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
    range: { after?: string; upto?: string; reverse?: boolean; limit?: number } = {},
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

  /** Deletes items, also those that do not exist. */
  async delete(pk: string, sks: readonly string[]): Promise<void> {
    for (let from = 0; from < sks.length; from += BATCH) {
      let requests = sks.slice(from, from + BATCH).map((sk) => ({ DeleteRequest: { Key: key(pk, sk) } }));
      while (requests.length > 0) {
        const answer = await this.#client.send(
          new BatchWriteItemCommand({ RequestItems: { [this.#name]: requests } }),
        );
        requests = (answer.UnprocessedItems?.[this.#name] ?? []) as typeof requests;
      }
    }
  }

  /** Closes the connections. */
  stop(): void {
    this.#client.destroy();
  }

  async #conditionally(command: PutItemCommand | DeleteItemCommand): Promise<boolean> {
    try {
      if (command instanceof PutItemCommand) await this.#client.send(command);
      else await this.#client.send(command);
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
