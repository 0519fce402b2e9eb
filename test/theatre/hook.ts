/** A web server of somebody who takes what is posted, and answers as it is told. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { eventually } from "@tidings/testkit";

export interface Posted {
  readonly id: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it was signed. */
  readonly raw: string;
  // biome-ignore lint/suspicious/noExplicitAny: a play reads what came without a schema, as any receiver may
  readonly body: any;
  /** What it was answered. */
  readonly status: number;
}

export class Hook {
  readonly posted: Posted[] = [];
  /** What is answered, one after the other; the last one stands. */
  statuses: number[] = [204];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const raw = await text(request);
      const status = (this.statuses.length > 1 ? this.statuses.shift() : this.statuses[0]) ?? 204;
      const { headers } = request;
      this.posted.push({ id: String(headers["webhook-id"]), headers, raw, body: JSON.parse(raw), status });
      response.writeHead(status).end();
    });
  }

  static async open(): Promise<Hook> {
    const hook = new Hook();
    await new Promise<void>((listening) => hook.#server.listen(0, "127.0.0.1", listening));
    return hook;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  /** Resolves to the first thing posted that `isWanted`. */
  hears(isWanted: (posted: Posted) => boolean): Promise<Posted> {
    return eventually(() => {
      const found = this.posted.find(isWanted);
      if (found === undefined) throw new Error(`nothing like it was posted: ${JSON.stringify(this.posted)}`);
      return found;
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }
}
