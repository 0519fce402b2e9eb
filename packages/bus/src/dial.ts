/**
 * One connection of one of the two libraries, from dialling to its end; each try gets a fresh entity of the library.
 *
 *     dialling ──online──▶ linked ──closed, error, destroy──▶ ended
 *        └───────────error, 10 s──────────────────────────────▶ ended
 *
 * Both libraries decode each chunk by itself, which tears characters that lie across two chunks, and write to a parser
 * that may be gone; so once online the bytes are decoded here and an exception ends the link, not the process.
 */
import type { EventEmitter } from "node:events";
import { Socket } from "node:net";
import type { Element } from "@tidings/protocol";
import { LinkError } from "./errors.ts";
import { WholeMarkup } from "./whole-markup.ts";

const DIAL_TIMEOUT_MS = 10_000;
/** Stanzas that may arrive in the instant between authentication and `online`. */
const MAX_EARLY = 10_000;

/** The part that the entities of @xmpp/component and @xmpp/client have in common. */
export interface Entity extends EventEmitter {
  timeout: number;
  readonly jid: { toString(): string } | null;
  readonly socket: unknown;
  readonly parser: { write(text: string): void } | null;
  connect(service: string): Promise<unknown>;
  open(options: { domain: string }): Promise<unknown>;
}

export interface LinkEvents {
  onStanza(stanza: Element): void;
  /** Bytes came: the peer lives. */
  onInput(): void;
  /** Called once, only after the link was online. */
  onEnd(cause: Error): void;
}

export interface Link {
  readonly address: string;
  readonly socket: Socket;
  destroy(cause: Error): void;
}

export interface Dialling {
  /** Rejects with what kept the link from coming up. */
  readonly linked: Promise<Link>;
  abort(cause: Error): void;
}

/** Connects and authenticates `entity`. Stanzas that come before `online` are kept and told right after it. */
export function dial(entity: Entity, service: string, domain: string, events: LinkEvents): Dialling {
  const { promise, resolve, reject } = Promise.withResolvers<Link>();
  const early: Element[] = [];
  let state: "dialling" | "linked" | "ended" = "dialling";

  const end = (cause: Error) => {
    const before = state;
    if (before === "ended") return;
    state = "ended";
    clearTimeout(timer);
    rawSocket(entity)?.destroy();
    if (before === "linked") events.onEnd(cause);
    else reject(cause);
  };
  const timer = setTimeout(
    () => end(new LinkError(`no connection within ${DIAL_TIMEOUT_MS} ms`)),
    DIAL_TIMEOUT_MS,
  );

  const linked = (socket: Socket, address: string) => {
    state = "linked";
    clearTimeout(timer);
    readInput(entity, socket, events.onInput, end);
    resolve({ address, socket, destroy: end });
    queueMicrotask(() => {
      for (const stanza of early.splice(0)) events.onStanza(stanza);
    });
  };

  // The library begins to wait for the server's stream header when its own is written: one that came before is missed. The stream
  // goes on all the same, and it is only the waiting that ends, with an error, when the link has long been in use.
  const fail = (error: unknown) => {
    if (state === "linked" && isTimeout(error)) return;
    end(asError(error));
  };

  entity.timeout = DIAL_TIMEOUT_MS;
  entity.on("error", fail);
  entity.on("close", () => end(new LinkError("the server closed the stream")));
  entity.on("disconnect", () => end(new LinkError("the server closed the connection")));
  entity.on("element", (element: Element) => {
    if (!isStanza(element)) return;
    if (state === "linked" && early.length === 0) events.onStanza(element);
    else if (early.length < MAX_EARLY) early.push(element);
  });
  entity.on("connect", () => rawSocket(entity)?.setNoDelay(true));
  entity.on("online", () => {
    const socket = rawSocket(entity);
    if (socket === null || state !== "dialling") end(new LinkError("the connection broke while it was made"));
    else linked(socket, String(entity.jid));
  });

  open(entity, service, domain).catch(fail);
  return { linked: promise, abort: end };
}

async function open(entity: Entity, service: string, domain: string): Promise<void> {
  await entity.connect(service);
  await entity.open({ domain });
}

/** Takes reading over from the library: whole characters and tags only, and what the parser throws ends the link. */
function readInput(entity: Entity, socket: Socket, onInput: () => void, end: (cause: Error) => void): void {
  socket.setEncoding("utf8");
  socket.on("error", end);
  hearLateErrors(entity);
  const reader = entity.socket as EventEmitter;
  const markup = new WholeMarkup();
  reader.removeAllListeners("data");
  reader.on("data", (text: string) => {
    onInput();
    try {
      const whole = markup.push(text);
      if (whole !== "") entity.parser?.write(whole);
    } catch (error) {
      end(new LinkError("the server sent what is no XML", { cause: error }));
    }
  });
}

/**
 * The library listens to its sockets until they close. What is written to one whose peer has gone just before fails after that
 * (EBADF), and an error that nobody hears would end the process.
 */
export function hearLateErrors(entity: Pick<Entity, "socket">): void {
  const held = entity.socket as EventEmitter | null;
  for (const emitter of [held, rawSocket(entity)]) emitter?.on("error", () => undefined);
}

/** The socket itself; with TLS the client library keeps it inside an object of its own. */
function rawSocket(entity: Pick<Entity, "socket">): Socket | null {
  const held = entity.socket;
  if (held instanceof Socket) return held;
  const inner = (held as { socket?: unknown } | null)?.socket;
  return inner instanceof Socket ? inner : null;
}

function isStanza({ name }: Element): boolean {
  return name === "message" || name === "iq" || name === "presence";
}

/** The library's own class is not exported. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new LinkError(String(error));
}
