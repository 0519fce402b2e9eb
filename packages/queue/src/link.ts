/**
 * One connection to RabbitMQ that comes back by itself.
 *
 *     down ──connected──▶ up ──alarm──▶ blocked ──alarm over──▶ up
 *      ▲                   └──lost──┐       └──lost──┐
 *      └──────after a back-off──────┴────────────────┘
 */
import { type BackOff, backOffMs, type Log } from "@tidings/runtime";
import { type ChannelModel, connect, type RecoveringChannelModel } from "amqplib";

const RECONNECT: BackOff = { firstMs: 100, maxMs: 10_000 };
const CONNECT_TIMEOUT_MS = 10_000;
/** Finds a half-open connection within three of these (AMQP 0-9-1 §4.2.7). */
const HEARTBEAT_SECONDS = 10;

export class Link {
  readonly #log: Log;
  readonly #upHandlers: (() => void)[] = [];
  readonly #recovering: RecoveringChannelModel;
  #connection: ChannelModel | null = null;
  #isAlarmed = false;

  private constructor(recovering: RecoveringChannelModel, log: Log) {
    this.#recovering = recovering;
    this.#log = log;
    recovering.on("connect", (connection) => this.#cameUp(connection));
    recovering.on("disconnect", (error) => this.#wentDown(error));
    recovering.on("connect-failed", (error) => log.warn({ err: error }, "queue connection failed"));
    recovering.on("blocked", (reason) => this.#setAlarm(true, reason));
    recovering.on("unblocked", () => this.#setAlarm(false));
    recovering.on("error", (error) => log.warn({ err: error }, "queue connection broke"));
    recovering.on("handler-error", (error) => log.error({ err: error }, "queue event handler failed"));
  }

  /** Resolves when connected for the first time, however long that takes. Rejects when `url` is no AMQP address. */
  static async connect(url: string, log: Log): Promise<Link> {
    const recovering = await connect(withHeartbeat(url), {
      timeout: CONNECT_TIMEOUT_MS,
      noDelay: true,
      recovery: {
        waitForConnect: false,
        calculateDelay: (attempt) => backOffMs(attempt, RECONNECT, Math.random()),
      },
    });
    const link = new Link(recovering, log);
    await recovering.waitForConnect();
    return link;
  }

  /** The live connection, or null while there is none. */
  get connection(): ChannelModel | null {
    return this.#connection;
  }

  /** Whether publishing makes no sense now: no connection, or RabbitMQ's memory or disk alarm. */
  get isBlocked(): boolean {
    return this.#connection === null || this.#isAlarmed;
  }

  /** Calls `handler` each time the connection is up, or publishing is possible again. */
  onUp(handler: () => void): void {
    this.#upHandlers.push(handler);
  }

  async stop(): Promise<void> {
    await this.#recovering.close();
    this.#connection = null;
  }

  #cameUp(connection: ChannelModel): void {
    this.#connection = connection;
    this.#log.info("queue connected");
    for (const handler of this.#upHandlers) handler();
  }

  #wentDown(error: Error): void {
    this.#connection = null;
    this.#isAlarmed = false;
    this.#log.warn({ err: error }, "queue connection lost");
  }

  #setAlarm(isAlarmed: boolean, reason?: string): void {
    this.#isAlarmed = isAlarmed;
    this.#log.warn({ isAlarmed, reason }, "queue alarm changed");
    if (!isAlarmed) for (const handler of this.#upHandlers) handler();
  }
}

function withHeartbeat(text: string): string {
  const url = new URL(text);
  if (url.protocol !== "amqp:" && url.protocol !== "amqps:")
    throw new TypeError("a queue's URL begins with amqp:// or amqps://");
  if (!url.searchParams.has("heartbeat")) url.searchParams.set("heartbeat", String(HEARTBEAT_SECONDS));
  return url.href;
}
