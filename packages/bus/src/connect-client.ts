import type { Log } from "@tidings/runtime";
import type { Bus } from "./bus.ts";
import { Connection } from "./connection.ts";
import { dialClient } from "./dial-client.ts";

export interface ClientOptions {
  /** The client port, such as `xmpp://127.0.0.1:5222`; TLS comes by STARTTLS, with the authority in NODE_EXTRA_CA_CERTS. */
  readonly url: string;
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  readonly log: Log;
  /** A resource of one's own choice; without it the server gives one. */
  readonly resource?: string;
  readonly maxInFlightBytes?: number;
}

/**
 * Connects as a client (RFC 6120, SCRAM over STARTTLS). Returns at once; sending waits for the connection. Pings from
 * the server are answered here. A wrong password is logged and tried again with back-off; to ask whether a password is
 * right, use `checkPassword`.
 */
export function connectClient(options: ClientOptions): Bus {
  const { domain, username, log, maxInFlightBytes } = options;
  return new Connection({
    address: `${username}@${domain}`,
    pingTo: domain,
    needsFrom: false,
    dial: (events) => dialClient(options, events),
    log,
    ...(maxInFlightBytes === undefined ? {} : { maxInFlightBytes }),
  });
}
