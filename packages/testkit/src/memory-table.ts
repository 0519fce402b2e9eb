import { type Item, type PlacedItem, Table } from "@tidings/store";

type Range = NonNullable<Parameters<Table["query"]>[1]>;

/** A table in memory, for tests of what stands on a table: conditions and order as DynamoDB has them, and no network. */
export class MemoryTable extends Table {
  readonly #partitions = new Map<string, Map<string, Item>>();

  constructor() {
    super({ endpoint: "http://127.0.0.1:9" });
  }

  override async create(): Promise<void> {}

  override async get(pk: string, sk: string): Promise<Item | undefined> {
    return this.#partition(pk).get(sk);
  }

  override async put(pk: string, sk: string, item: Item): Promise<void> {
    this.#partition(pk).set(sk, { ...item, pk: { S: pk }, sk: { S: sk } });
  }

  override async putIfAbsent(pk: string, sk: string, item: Item): Promise<boolean> {
    return this.#putIf(this.#partition(pk).get(sk) === undefined, pk, sk, item);
  }

  override async putAll(items: readonly PlacedItem[]): Promise<void> {
    for (const { pk, sk, item } of items) await this.put(pk, sk, item);
  }

  override async replaceIf(
    pk: string,
    sk: string,
    field: string,
    expected: Item[string] | undefined,
    item: Item,
  ): Promise<boolean> {
    const before = this.#partition(pk).get(sk);
    const fits =
      expected === undefined
        ? before === undefined
        : JSON.stringify(before?.[field]) === JSON.stringify(expected);
    return this.#putIf(fits, pk, sk, item);
  }

  override async set(pk: string, sk: string, field: string, value: Item[string]): Promise<void> {
    await this.put(pk, sk, { ...this.#partition(pk).get(sk), [field]: value });
  }

  override async *query(pk: string, { after, upto, reverse, limit }: Range = {}): AsyncGenerator<Item> {
    const partition = this.#partition(pk);
    const keys = [...partition.keys()]
      .filter((sk) => (after === undefined || sk > after) && (upto === undefined || sk <= upto))
      .sort();
    if (reverse) keys.reverse();
    for (const sk of keys.slice(0, limit)) {
      const item = partition.get(sk);
      if (item !== undefined) yield item;
    }
  }

  override async *scan(prefix: string): AsyncGenerator<Item> {
    for (const [pk, partition] of [...this.#partitions]) {
      if (pk.startsWith(prefix)) yield* [...partition.values()];
    }
  }

  override async delete(pk: string, sks: readonly string[]): Promise<void> {
    for (const sk of sks) this.#partition(pk).delete(sk);
  }

  #putIf(isAllowed: boolean, pk: string, sk: string, item: Item): boolean {
    if (isAllowed) this.#partition(pk).set(sk, { ...item, pk: { S: pk }, sk: { S: sk } });
    return isAllowed;
  }

  #partition(pk: string): Map<string, Item> {
    let partition = this.#partitions.get(pk);
    if (partition === undefined) {
      partition = new Map();
      this.#partitions.set(pk, partition);
    }
    return partition;
  }
}
