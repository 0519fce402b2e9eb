/**
 * An HTTP proxy before DynamoDB: it passes requests on until it is told to refuse some, or to lose the replies to some.
 *
 *     request ──refuses?──▶ ProvisionedThroughputExceededException, nothing is applied
 *        └──▶ DynamoDB applies it ──loses the reply?──▶ the connection is reset
 *                    └──▶ reply
 */
import { once } from "node:events";
import {
  Agent,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { type DynamoRequest, readDynamoRequest } from "./dynamo-request.ts";

/** Whether a request is one of those that it happens to. */
export type Which = (request: DynamoRequest) => boolean;

export interface DynamoReply {
  /** Of HTTP: 200, or 400 for what DynamoDB refuses; 0 when it never came, so that nobody knows what became of the request. */
  readonly status: number;
  /** False when it was lost on its way. */
  readonly isPassedOn: boolean;
}

/** Hears of each request when it goes to DynamoDB (`reply` is null), and again when its reply is there, just before it goes back. */
export type DynamoWatch = (request: DynamoRequest, reply: DynamoReply | null) => void;

interface Whole {
  readonly head: IncomingMessage;
  readonly body: Buffer;
}

const NONE: Which = () => false;
/** As DynamoDB says it. */
const THROTTLED = JSON.stringify({
  __type: "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
  message: "The level of configured provisioned throughput for the table was exceeded.",
});

export class DynamoProxy {
  readonly port: number;
  watch: DynamoWatch | null = null;
  refuses: Which = NONE;
  losesReplies: Which = NONE;
  /** Requests that were refused, and replies that were lost, so far. */
  refused = 0;
  lost = 0;
  readonly #server: Server;
  readonly #target: number;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on("request", (head, response) => void this.#serve(head, response));
  }

  /** Listens on a free port of 127.0.0.1, before the DynamoDB at the port `target`. */
  static async open(target: number): Promise<DynamoProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new DynamoProxy(server, target);
  }

  heals(): void {
    this.refuses = NONE;
    this.losesReplies = NONE;
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(head: IncomingMessage, response: ServerResponse): Promise<void> {
    let seen: DynamoRequest | null = null;
    try {
      const asked = await whole(head);
      seen = this.#read(asked);
      if (seen !== null && this.refuses(seen)) return this.#refuse(response);
      if (seen !== null) this.watch?.(seen, null);
      const reply = await this.#passOn(asked);
      const isPassedOn = seen === null || !this.losesReplies(seen);
      if (seen !== null) this.watch?.(seen, { status: reply.head.statusCode ?? 0, isPassedOn });
      if (isPassedOn) response.writeHead(reply.head.statusCode ?? 500, reply.head.headers).end(reply.body);
      else this.#lose(head);
    } catch {
      // Either side is gone in the middle of it: the other one finds out by its connection, as it would without a proxy.
      if (seen !== null) this.watch?.(seen, { status: 0, isPassedOn: false });
      head.socket.destroy();
    }
  }

  /** Null as long as nobody wants to know: reading large requests would slow down all of them. */
  #read({ head, body }: Whole): DynamoRequest | null {
    if (this.watch === null && this.refuses === NONE && this.losesReplies === NONE) return null;
    return readDynamoRequest(String(head.headers["x-amz-target"]), body.toString("utf8"));
  }

  #refuse(response: ServerResponse): void {
    this.refused++;
    response.writeHead(400, { "content-type": "application/x-amz-json-1.0" }).end(THROTTLED);
  }

  #lose(head: IncomingMessage): void {
    this.lost++;
    head.socket.resetAndDestroy();
  }

  async #passOn({ head: { method, url, headers }, body }: Whole): Promise<Whole> {
    const options = { host: "127.0.0.1", port: this.#target, agent: this.#agent, method, path: url, headers };
    const outgoing = request(options);
    outgoing.end(body);
    const [reply] = (await once(outgoing, "response")) as [IncomingMessage];
    return whole(reply);
  }
}

async function whole(head: IncomingMessage): Promise<Whole> {
  const chunks: Buffer[] = [];
  for await (const chunk of head) chunks.push(chunk as Buffer);
  return { head, body: Buffer.concat(chunks) };
}
