/** A web site on loopback in a thread of its own, so that what measures does not wait for what serves. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { itemOf } from "./source.ts";

export interface WebSite {
  readonly origin: string;
  close(): Promise<void>;
}

/** Any path of it is `document` with the validator `"1"`, or 304 for who has that. */
export async function openWebSite(document: string): Promise<WebSite> {
  const thread = new Worker(new URL("./web-site-thread.ts", import.meta.url), { workerData: { document } });
  const [port] = (await once(thread, "message")) as [number];
  return { origin: `http://127.0.0.1:${port}`, close: async () => void (await thread.terminate()) };
}

/** A feed of at least `bytes`, with items as feeds have them. */
export function feedOf(bytes: number): string {
  const items: string[] = [];
  for (let length = 0, number = 1; length < bytes; number++) {
    const { title, link, summary } = itemOf("rss.bench", number);
    const date = new Date(Date.UTC(2026, 0, 1) + number * 3_600_000).toUTCString();
    const item = `<item><guid>${link}</guid><title>${title}</title><link>${link}</link><description>&lt;p&gt;${summary}&lt;/p&gt;</description><pubDate>${date}</pubDate></item>`;
    length += item.length;
    items.push(item);
  }
  return `<?xml version="1.0"?><rss version="2.0"><channel><title>Rooms</title><link>http://rooms.example/</link>${items.join("")}</channel></rss>`;
}
