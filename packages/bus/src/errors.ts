/** A stanza holds a character that XML 1.0 forbids; sent, it would close the stream of the whole component. */
export class IllegalTextError extends Error {
  override readonly name = "IllegalTextError";

  constructor(what: string, to: string) {
    super(`<${what}> to ${to} holds a character that XML 1.0 forbids`);
  }
}

/** The bus was stopped; what waited to be sent was not sent. */
export class BusStoppedError extends Error {
  override readonly name = "BusStoppedError";

  constructor() {
    super("the bus is stopped");
  }
}

/** A connection could not be made or ended; the bus dials again. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}
