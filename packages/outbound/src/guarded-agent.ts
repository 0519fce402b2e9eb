/** An HTTP client that connects only where an {@link AddressGuard} permits: to addresses that strangers have named. */
import { isIP } from "node:net";
import { Agent, buildConnector } from "undici";
import { type AddressGuard, ForbiddenAddressError } from "./address-guard.ts";

export interface AgentLimits {
  /** Longest silence of the server (milliseconds). */
  readonly idleMs: number;
  /** Most connections to one host at a time. */
  readonly connectionsPerHost: number;
}

/** Checks each address before connecting, and once more the one that the socket has. */
export function guardedAgent(guard: AddressGuard, { idleMs, connectionsPerHost }: AgentLimits): Agent {
  return new Agent({
    connect: guardedConnector(guard, idleMs),
    connections: connectionsPerHost,
    pipelining: 1,
    headersTimeout: idleMs,
    bodyTimeout: idleMs,
    keepAliveTimeout: 4_000,
  });
}

/**
 * Whether `url` names a host that may be asked. A host written as an IP address never reaches `lookup`, so it is checked here;
 * the URL parser has normalised its spelling.
 */
export function permitsUrl(guard: AddressGuard, url: URL): boolean {
  if (url.protocol !== "http:" && url.protocol !== "https:") return false;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 || guard.permits(host, portOf(url));
}

function guardedConnector(guard: AddressGuard, timeoutMs: number): buildConnector.connector {
  return (options, callback) => {
    const port = portOf(options);
    const connect = buildConnector({
      lookup: guard.lookupFor(port),
      timeout: timeoutMs,
      autoSelectFamily: true,
    });
    connect(options, (...[error, socket]: Parameters<buildConnector.Callback>) => {
      if (error !== null) return callback(error, null);
      if (guard.permits(socket.remoteAddress ?? "", port)) return callback(null, socket);
      socket.destroy();
      callback(new ForbiddenAddressError(`${options.hostname} is none to connect to`), null);
    });
  };
}

function portOf(place: { readonly protocol: string; readonly port: string }): number {
  return place.port === "" ? (place.protocol === "https:" ? 443 : 80) : Number(place.port);
}
