import type { Authority, CallArgs, CallName, CallResult, Element } from "@tidings/protocol";

/** One connection to the bus, as a component or as a client. It reconnects by itself until it is stopped. */
export interface Bus {
  /** The component's domain, or the client's full JID once it is online. */
  readonly address: string;
  readonly isOnline: boolean;

  /**
   * Sends `stanza`. Waits while the connection is down and while too many bytes are in flight; resolves when it is in
   * the socket, which proves nothing about its arrival. Rejects with `IllegalTextError` for what XML 1.0 forbids, and
   * with `BusStoppedError` after `stop`.
   */
  send(stanza: Element): Promise<void>;

  /**
   * Sends an IQ of type get or set (an id is added when it has none) and resolves with its result. Rejects with
   * CallError: the peer's own, or `wait` `remote-server-timeout` after `timeoutMs` (10,000 when not given).
   */
  request(iq: Element, timeoutMs?: number): Promise<Element>;

  /**
   * Calls the avatar at `to` from `from`. While the answer is an error of type `wait`, calls again with the same `op`
   * after a back-off, until `timeoutMs` (15,000 when not given) have passed. Rejects with CallError.
   */
  call<N extends CallName>(call: OutgoingCall<N>): Promise<CallResult<N>>;

  /** Every message and presence, and every IQ of type get or set, in the order of arrival. Several handlers may listen. */
  onStanza(handler: (stanza: Element) => void): void;
  onOnline(handler: () => void): void;
  onOffline(handler: () => void): void;

  /** Closes the connection; what waits to be sent is rejected. May be called twice. */
  stop(): Promise<void>;
}

export interface OutgoingCall<N extends CallName> {
  readonly from: string;
  readonly to: string;
  readonly name: N;
  readonly args: CallArgs<N>;
  readonly authority: Authority;
  /** Operation id for a call that changes something; a new UUID when not given. */
  readonly op?: string;
  readonly timeoutMs?: number;
}
