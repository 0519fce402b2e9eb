import type { Log } from "@tidings/runtime";
import { component } from "@xmpp/component";
import type { Bus } from "./bus.ts";
import { Connection } from "./connection.ts";
import { type Dialling, dial, type LinkEvents } from "./dial.ts";

export interface ComponentOptions {
  /** The component listener, such as `xmpp://127.0.0.1:5347`. */
  readonly url: string;
  /** The domain of the component; it may send from every JID in it. */
  readonly domain: string;
  readonly password: string;
  readonly log: Log;
  /** Past this many bytes between here and the server, senders wait (default 4 MiB). */
  readonly maxInFlightBytes?: number;
}

/**
 * Connects as an external component (XEP-0114). Returns at once; sending waits for the connection. A stanza without
 * `from` is sent from the domain itself. A wrong password is logged and tried again with back-off.
 */
export function connectComponent(options: ComponentOptions): Bus {
  const { domain, log, maxInFlightBytes } = options;
  return new Connection({
    address: domain,
    // To itself: the way out and the way back both show that they work, and no server needs to answer.
    pingTo: domain,
    needsFrom: true,
    dial: (events) => dialComponent(options, events),
    log,
    ...(maxInFlightBytes === undefined ? {} : { maxInFlightBytes }),
  });
}

function dialComponent({ url, domain, password }: ComponentOptions, events: LinkEvents): Dialling {
  const entity = component({ service: url, domain, password });
  entity.reconnect.stop();
  // The library's own middleware would answer every request with service-unavailable before its handler can.
  entity.removeAllListeners("element");
  return dial(entity, url, domain, events);
}
