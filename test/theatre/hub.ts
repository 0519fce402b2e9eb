/** A WebSub hub of somebody: asks back before it agrees, signs what it sends, and forgets who says 410. */
import { createHmac, randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { eventually } from "@tidings/testkit";

interface Subscriber {
  readonly callback: string;
  readonly secret: string;
}

export class Hub {
  /** For how long it sends (seconds). */
  leaseSeconds = 86_400;
  /** Topic → who has agreed to be sent it. */
  readonly #subscribers = new Map<string, Subscriber>();
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const wish = new URLSearchParams(await text(request));
      response.writeHead(202).end();
      await this.#verify(wish);
    });
  }

  static async open(): Promise<Hub> {
    const hub = new Hub();
    await new Promise<void>((listening) => hub.#server.listen(0, "127.0.0.1", listening));
    return hub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Resolves when somebody has agreed to be sent `topic`. */
  isAskedFor(topic: string): Promise<Subscriber> {
    return eventually(() => {
      const subscriber = this.#subscribers.get(topic);
      if (subscriber === undefined) throw new Error(`nobody has subscribed to ${topic}`);
      return subscriber;
    });
  }

  /** Sends `document` of `topic`, signed with `secret` (the subscriber's own). Resolves to the status of the answer. */
  async sends(topic: string, document: string, secret?: string): Promise<number> {
    const subscriber = await this.isAskedFor(topic);
    const signature = createHmac("sha256", secret ?? subscriber.secret)
      .update(document)
      .digest("hex");
    const { status } = await fetch(subscriber.callback, {
      method: "POST",
      headers: { "content-type": "application/rss+xml", "x-hub-signature": `sha256=${signature}` },
      body: document,
    });
    if (status === 410) this.#subscribers.delete(topic);
    return status;
  }

  /** Asks whether `callback` wants what `wish` says; resolves to whether it does. */
  async asks(callback: string, wish: Readonly<Record<string, string>>): Promise<boolean> {
    const challenge = randomUUID();
    const query = new URLSearchParams({ ...wish, "hub.challenge": challenge });
    const answer = await fetch(`${callback}?${query}`);
    return answer.status === 200 && (await answer.text()) === challenge;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((closed) => this.#server.close(() => closed()));
  }

  async #verify(wish: URLSearchParams): Promise<void> {
    const [topic, callback, secret] = ["topic", "callback", "secret"].map(
      (name) => wish.get(`hub.${name}`) ?? "",
    );
    const lease = String(this.leaseSeconds);
    const intent = { "hub.mode": "subscribe", "hub.topic": topic ?? "", "hub.lease_seconds": lease };
    if (await this.asks(callback ?? "", intent))
      this.#subscribers.set(topic ?? "", { callback: callback ?? "", secret: secret ?? "" });
  }
}
