/**
 * What the users cluster offers a client after TLS. Releases of ejabberd before 26.07 let one account log in as another
 * by SASL PLAIN or DIGEST-MD5 with a foreign authorization identity; an installation that offers either does not start.
 */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";

const DEADLINE_MS = 10_000;

/** The users cluster offers a mechanism that it must not, or none at all. */
export class UnsafeMechanismsError extends Error {
  override readonly name = "UnsafeMechanismsError";
}

/**
 * Resolves when the server of `domain` at `port` of 127.0.0.1 offers SCRAM (RFC 5802) and nothing but SCRAM, after
 * STARTTLS with a certificate that is in `ca` (PEM) or signed by one there. Rejects with {@link UnsafeMechanismsError}, or with the connection's error.
 */
export async function checkMechanisms(domain: string, port: number, ca: string): Promise<void> {
  const plain = createConnection(port, "127.0.0.1");
  plain.setTimeout(DEADLINE_MS, () =>
    plain.destroy(new Error(`${domain} did not answer in ${DEADLINE_MS} ms`)),
  );
  try {
    const offered = mechanismsIn(await featuresAfterTls(plain, domain, ca));
    const unsafe = offered.filter((name) => !/^SCRAM-SHA-\d+(-PLUS)?$/.test(name));
    if (unsafe.length > 0) throw new UnsafeMechanismsError(`${domain} offers ${unsafe.join(", ")}`);
    if (offered.length === 0) throw new UnsafeMechanismsError(`${domain} offers no way to log in`);
  } finally {
    plain.destroy();
  }
}

/** The SASL mechanisms in `<stream:features>` (RFC 6120 §6.4.1). */
export function mechanismsIn(features: string): string[] {
  return [...features.matchAll(/<mechanism>([^<]*)<\/mechanism>/g)].map(([, name]) => name ?? "");
}

async function featuresAfterTls(plain: Socket, domain: string, ca: string): Promise<string> {
  await once(plain, "connect");
  plain.write(streamHeader(domain));
  const first = await readUntil(plain, "</stream:features>");
  if (mechanismsIn(first).length > 0) throw new UnsafeMechanismsError(`${domain} offers logins without TLS`);
  plain.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  await readUntil(plain, "<proceed");
  const secure: TLSSocket = connect({ socket: plain, servername: domain, ca, allowPartialTrustChain: true });
  await once(secure, "secureConnect");
  secure.write(streamHeader(domain));
  return readUntil(secure, "</stream:features>");
}

function streamHeader(domain: string): string {
  return `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${domain}' version='1.0'>`;
}

async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = "";
  while (!text.includes(end)) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    text += chunk.toString("utf8");
  }
  return text;
}
