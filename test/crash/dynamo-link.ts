/** A link to DynamoDB: all that a link can do, and what only who reads the requests can do. */
import type { Server } from "node:net";
import { DynamoProxy, type DynamoWatch, type Which } from "./dynamo-proxy.ts";
import { Link, type LinkOptions } from "./link.ts";

export class DynamoLink extends Link {
  readonly #proxy: DynamoProxy;

  private constructor(options: LinkOptions, server: Server, proxy: DynamoProxy) {
    super(options, server);
    this.#proxy = proxy;
  }

  /** Listens on a free port of 127.0.0.1. */
  static override async open(options: LinkOptions): Promise<DynamoLink> {
    const proxy = await DynamoProxy.open(options.target);
    return new DynamoLink({ ...options, target: proxy.port }, await Link.listen(), proxy);
  }

  /** From now on `watch` hears of every request and reply. */
  watches(watch: DynamoWatch): void {
    this.#proxy.watch = watch;
  }

  /** DynamoDB applies these requests, and nobody hears of it: the connection breaks instead. */
  losesReplies(which: Which): void {
    this.#proxy.losesReplies = which;
  }

  /** These requests are refused for their number; nothing of them is applied. */
  refuses(which: Which): void {
    this.#proxy.refuses = which;
  }

  /** Replies that were lost so far. */
  get lost(): number {
    return this.#proxy.lost;
  }

  /** Requests that were refused so far. */
  get refused(): number {
    return this.#proxy.refused;
  }

  override heals(): void {
    this.#proxy.heals();
    super.heals();
  }

  override async close(): Promise<void> {
    await super.close();
    await this.#proxy.close();
  }
}
