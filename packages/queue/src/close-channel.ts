import type { Log } from "@tidings/runtime";
import { type Channel, IllegalOperationError } from "amqplib";

/** Resolves when `channel` is closed; amqplib's own promise never settles when the connection dies meanwhile. */
export async function closeChannel(channel: Channel, log: Log): Promise<void> {
  const closed = new Promise<void>((resolve) => channel.once("close", resolve));
  const asked = channel.close().catch((error) => log.debug({ err: error }, "channel was closed already"));
  await Promise.race([closed, asked]);
}

/** Does `send` unless its channel is closing or closed; what was to be sent then has lost its meaning. */
export function unlessClosed(send: () => void): void {
  try {
    send();
  } catch (error) {
    if (!(error instanceof IllegalOperationError)) throw error;
  }
}
