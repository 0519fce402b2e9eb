/**
 * A channel that is opened again whenever it closes: with the connection, or alone through a protocol error.
 *
 *     absent ──connection up──▶ opening ──set up──▶ open ──closed──▶ absent, and again after a back-off
 */
import { type BackOff, backOffMs, type Log } from "@tidings/runtime";
import type { ConfirmChannel } from "amqplib";
import { closeChannel } from "./close-channel.ts";
import type { Link } from "./link.ts";

const REOPEN: BackOff = { firstMs: 100, maxMs: 10_000 };
/** A channel that lived so long did not fail at once: the next back-off begins anew (milliseconds). */
const STEADY_MS = 5_000;

export interface ChannelUse {
  /** Prepares a fresh channel; when it rejects, the channel is closed and opened again later. */
  setUp(channel: ConfirmChannel): Promise<void>;
  /** The channel is ready to be used, or RabbitMQ's alarm is over. */
  opened?(channel: ConfirmChannel): void;
  /** What was open is gone: nothing more will be heard of it. */
  lost?(): void;
}

export class LastingChannel {
  readonly #link: Link;
  readonly #use: ChannelUse;
  readonly #log: Log;
  #channel: ConfirmChannel | null = null;
  #isOpening = false;
  #isClosed = false;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: Link, use: ChannelUse, log: Log) {
    this.#link = link;
    this.#use = use;
    this.#log = log;
    link.onUp(() => this.#linkIsUp());
    void this.#open();
  }

  /** The channel, once set up; null while there is none. */
  get current(): ConfirmChannel | null {
    return this.#channel;
  }

  /** Closes the channel for good. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const channel = this.#channel;
    this.#channel = null;
    if (channel !== null) await closeChannel(channel, this.#log);
  }

  #linkIsUp(): void {
    if (this.#channel !== null) this.#use.opened?.(this.#channel);
    else void this.#open();
  }

  async #open(): Promise<void> {
    const connection = this.#link.connection;
    if (connection === null || this.#isOpening || this.#isClosed || this.#channel !== null) return;
    this.#isOpening = true;
    clearTimeout(this.#timer);
    let channel: ConfirmChannel | undefined;
    try {
      channel = await connection.createConfirmChannel();
      const isAlive = watch(channel, this.#log, () => this.#ended(channel));
      await this.#use.setUp(channel);
      if (!isAlive() || this.#isClosed) throw new Error("the channel closed while it was set up");
      this.#channel = channel;
    } catch (error) {
      this.#log.warn({ err: error }, "queue channel failed");
      if (channel !== undefined) void closeChannel(channel, this.#log);
      this.#reopenLater(performance.now());
    } finally {
      this.#isOpening = false;
    }
    if (this.#channel !== null) this.#startUse(this.#channel);
  }

  #startUse(channel: ConfirmChannel): void {
    const openedMs = performance.now();
    channel.once("close", () => this.#reopenLater(openedMs));
    this.#use.opened?.(channel);
  }

  #ended(channel: ConfirmChannel | undefined): void {
    if (channel === undefined || this.#channel !== channel) return;
    this.#channel = null;
    this.#use.lost?.();
  }

  #reopenLater(openedMs: number): void {
    if (this.#isClosed) return;
    this.#failures = performance.now() - openedMs > STEADY_MS ? 1 : this.#failures + 1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#open(), backOffMs(this.#failures, REOPEN, Math.random()));
  }
}

/** Listens to the end of `channel`; the answer tells whether it still lives. */
function watch(channel: ConfirmChannel, log: Log, ended: () => void): () => boolean {
  let isAlive = true;
  channel.on("error", (error) => log.warn({ err: error }, "queue channel broke"));
  channel.on("handler-error", (error) => log.error({ err: error }, "queue event handler failed"));
  channel.on("close", () => {
    isAlive = false;
    ended();
  });
  return () => isAlive;
}
