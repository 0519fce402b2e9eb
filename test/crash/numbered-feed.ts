/** A web site with a feed of numbered items on loopback; its document lists the latest thousand. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What an ingestor reads of a document at most (services/ingest-rss/src/normalise.ts). */
const DOCUMENT_ITEMS = 1_000;

export class NumberedFeed {
  readonly name: string;
  readonly url: string;
  /** How often it was asked. */
  requests = 0;
  readonly #server: Server;
  readonly #items: string[] = [];
  #published = 0;

  private constructor(name: string, server: Server) {
    this.name = name;
    this.#server = server;
    // A port may come again: what an earlier feed at this address had would count as seen.
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${randomUUID()}/${name}.rss`;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  /** Opens the site; the feed is empty. */
  static async open(name: string): Promise<NumberedFeed> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new NumberedFeed(name, server);
  }

  /** How many items were published: their numbers are 1 to this. */
  get published(): number {
    return this.#published;
  }

  /** Adds `count` items. */
  publishes(count = 1): void {
    for (let left = count; left > 0; left--) {
      this.#published += 1;
      this.#items.push(itemXml(guidOf(this.name, this.#published), titleOf(this.name, this.#published)));
    }
  }

  /** Adds an item of any content, which has no number. */
  publishesXml(inside: string): void {
    this.#items.push(`<item>${inside}</item>`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests++;
    request.resume();
    const etag = `"${this.#items.length}"`;
    response.setHeader("etag", etag);
    if (request.headers["if-none-match"] === etag) {
      response.writeHead(304).end();
      return;
    }
    const items = this.#items.slice(-DOCUMENT_ITEMS).reverse().join("\n");
    response
      .writeHead(200, { "content-type": "application/rss+xml" })
      .end(
        `<?xml version="1.0"?><rss version="2.0"><channel><title>${this.name}</title>${items}</channel></rss>`,
      );
  }
}

/** `feed-3 #17`: the title of item 17 of the feed called `feed-3`. */
export function titleOf(feed: string, number: number): string {
  return `${feed} #${number}`;
}

/** What item `number` is known by. */
export function guidOf(feed: string, number: number): string {
  return `${feed}-${number}`;
}

function itemXml(guid: string, title: string): string {
  return `<item><guid isPermaLink="false">${guid}</guid><title>${title}</title></item>`;
}
