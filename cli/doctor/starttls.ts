/** The certificate that an XMPP server shows, by STARTTLS (RFC 6120 §5). */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type PeerCertificate } from "node:tls";

const WITHIN_MS = 5_000;
/** Longest answer that is read before TLS: a stream header and its features (characters). */
const MOST_CHARS = 20_000;

export interface Shown {
  readonly certificate: PeerCertificate;
  /** Why it is not believed; null: it is. */
  readonly mistrust: string | null;
}

/**
 * Asks the server of `domain` at `port` of this machine, as a client or as another server would; `ca` are the authorities that
 * are believed beside the system's (PEM). Rejects with what went wrong.
 */
export async function certificateAt(
  port: number,
  domain: string,
  as: "client" | "server",
  ca: string | undefined,
): Promise<Shown> {
  const socket = connect({ port, host: "127.0.0.1" });
  const signal = AbortSignal.timeout(WITHIN_MS);
  signal.addEventListener("abort", () =>
    socket.destroy(new Error(`nothing was said within ${WITHIN_MS} ms`)),
  );
  try {
    await once(socket, "connect");
    socket.write(
      `<stream:stream xmlns="jabber:${as}" xmlns:stream="http://etherx.jabber.org/streams" to="${domain}" version="1.0">`,
    );
    await heard(socket, /<starttls/);
    socket.write('<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>');
    await heard(socket, /<proceed/);
    const tls = connectTls({
      socket,
      servername: domain,
      rejectUnauthorized: false,
      ...(ca === undefined ? {} : { ca }),
    });
    await once(tls, "secureConnect");
    const mistrust = tls.authorized ? null : String(tls.authorizationError);
    const shown = { certificate: tls.getPeerCertificate(), mistrust };
    tls.destroy();
    return shown;
  } finally {
    socket.destroy();
  }
}

async function heard(socket: Socket, what: RegExp): Promise<void> {
  let text = "";
  while (!what.test(text)) {
    const [data] = (await Promise.race([once(socket, "data"), ended(socket)])) as [Buffer];
    text += data.toString("latin1");
    if (text.length > MOST_CHARS) throw new Error("what answers there speaks no XMPP");
  }
}

async function ended(socket: Socket): Promise<never> {
  await once(socket, "close");
  throw new Error("the connection was closed before TLS began: what listens there offers no STARTTLS");
}
