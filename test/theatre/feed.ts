/** A web site with one feed, on loopback. It counts who asks, and can be as slow, broken or hostile as a play wants. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { eventually } from "@tidings/testkit";

export interface FeedItem {
  readonly guid?: string;
  readonly title?: string;
  readonly link?: string;
  readonly description?: string;
}

export type Answerer = (request: IncomingMessage, response: ServerResponse) => void;

export class Feed {
  /** Address of the feed. */
  readonly url: string;
  readonly title: string;
  /** Requests so far, and how many of them were answered with 304. */
  requests = 0;
  unchanged = 0;
  readonly #server: Server;
  readonly #items: FeedItem[] = [];
  /** Text → when a document that held it was first sent (milliseconds of `performance.now`). */
  readonly #documents: { readonly body: string; readonly atMs: number }[] = [];
  readonly #held: (() => void)[] = [];
  #document: string | Buffer | null = null;
  #answerer: Answerer | null = null;
  #holds = false;

  private constructor(server: Server, title: string) {
    this.#server = server;
    this.title = title;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${encodeURIComponent(title)}.rss`;
    server.on("request", (request, response) => this.#answer(request, response));
  }

  /** Opens the site; the feed is empty. */
  static async open(title: string): Promise<Feed> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Feed(server, title);
  }

  /** Adds an item on top. A text alone is a title, with a guid and a link of its own. */
  publishes(item: string | FeedItem): void {
    const number = this.#items.length + 1;
    const link = `${new URL(this.url).origin}/${number}`;
    this.#items.unshift(
      typeof item === "string" ? { guid: `${this.title}-${number}`, title: item, link } : item,
    );
  }

  /** From now on this document is the feed. */
  serves(document: string | Buffer): void {
    this.#document = document;
    this.#answerer = null;
  }

  /** From now on each request is answered by `answerer`; null: by the feed again. */
  answersBy(answerer: Answerer | null): void {
    this.#answerer = answerer;
  }

  /** From now on each answer waits until `lets`. */
  holdsAnswers(): void {
    this.#holds = true;
  }

  /** Resolves when `count` requests are waiting for their answers. */
  isAsked(count = 1): Promise<void> {
    return eventually(() => {
      if (this.#held.length < count) throw new Error(`${this.#held.length} requests wait for ${this.url}`);
    });
  }

  /** Sends what was held. */
  letsGo(): void {
    this.#holds = false;
    for (const go of this.#held.splice(0)) go();
  }

  /** Resolves when the feed has been fetched `times` more than now, from now on. */
  isPolled(times = 1): Promise<void> {
    const wanted = this.requests + times;
    return eventually(() => {
      if (this.requests < wanted) throw new Error(`${this.url} was not asked again`);
    });
  }

  /** When a document with `text` was first sent (milliseconds of `performance.now`). Throws when none was. */
  firstSentAtMs(text: string): number {
    const sent = this.#documents.find(({ body }) => body.includes(text));
    if (sent === undefined) throw new Error(`"${text}" was never sent`);
    return sent.atMs;
  }

  async close(): Promise<void> {
    this.letsGo();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests += 1;
    request.resume();
    const go = () => (this.#answerer ?? this.#sendDocument)(request, response);
    if (this.#holds) this.#held.push(go);
    else go();
  }

  readonly #sendDocument: Answerer = (request, response) => {
    const body = this.#document ?? rss(this.title, this.#items);
    const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 16)}"`;
    response.setHeader("etag", etag);
    if (request.headers["if-none-match"] === etag) {
      this.unchanged += 1;
      response.writeHead(304).end();
      return;
    }
    this.#documents.push({ body: body.toString(), atMs: performance.now() });
    response.writeHead(200, { "content-type": "application/rss+xml" }).end(body);
  };
}

/** An RSS 2.0 document. What an item leaves out is not in the document either. */
export function rss(title: string, items: readonly FeedItem[]): string {
  const inside = items.map((item) => {
    const fields = (["guid", "title", "link", "description"] as const).flatMap((name) =>
      item[name] === undefined ? [] : `<${name}>${escaped(item[name])}</${name}>`,
    );
    return `<item>${fields.join("")}</item>`;
  });
  return `<?xml version="1.0"?><rss version="2.0"><channel><title>${escaped(title)}</title>${inside.join("\n")}</channel></rss>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
