/** What a request to DynamoDB is about, read from the bytes of its HTTP request. Pure. */

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

export interface DynamoRequest {
  /** `PutItem`, `Query`, `BatchWriteItem` … */
  readonly operation: string;
  readonly table: string;
  /** The items that it names; none for a query or a scan. */
  readonly keys: readonly ItemKey[];
  /** `epoch` of the item that it puts; null when there is none. */
  readonly epoch: number | null;
  /** `kind` and `blob` of the item that it puts: a record of a journal has them. Null when there is none. */
  readonly kind: string | null;
  readonly blob: Buffer | null;
  /** Whether it changes something. */
  readonly isWrite: boolean;
}

interface Attributes {
  readonly [name: string]: { readonly S?: string; readonly N?: string; readonly B?: string } | undefined;
}

interface Body {
  readonly TableName?: string;
  readonly Key?: Attributes;
  readonly Item?: Attributes;
  readonly RequestItems?: Readonly<
    Record<string, readonly { PutRequest?: { Item: Attributes }; DeleteRequest?: { Key: Attributes } }[]>
  >;
}

const WRITES: ReadonlySet<string> = new Set(["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"]);

/** Reads a request; `target` is its header `x-amz-target`, `body` its JSON. Throws SyntaxError when it is none. */
export function readDynamoRequest(target: string, body: string): DynamoRequest {
  const operation = target.slice(target.indexOf(".") + 1);
  const { TableName, Key, Item, RequestItems = {} } = JSON.parse(body) as Body;
  const [[batchTable, batch] = ["", []]] = Object.entries(RequestItems);
  const named = [
    Key,
    Item,
    ...batch.map(({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key),
  ];
  const epoch = Item?.epoch?.N;
  return {
    operation,
    table: TableName ?? batchTable,
    keys: named.filter((attributes) => attributes !== undefined).map(keyIn),
    epoch: epoch === undefined ? null : Number(epoch),
    kind: Item?.kind?.S ?? null,
    blob: Item?.blob?.B === undefined ? null : Buffer.from(Item.blob.B, "base64"),
    isWrite: WRITES.has(operation),
  };
}

function keyIn({ pk, sk }: Attributes): ItemKey {
  return { pk: pk?.S ?? "", sk: sk?.S ?? "" };
}
