/**
 * Checks a password against an XMPP server by SASL SCRAM-SHA-1 (RFC 5802), and nothing more: no resource is bound and no
 * presence is sent, so nobody sees the user come online and no message is delivered to this connection.
 *
 * The exchange is done here instead of by @xmpp/client, whose mechanism makes some 8,000 asynchronous HMAC calls for one
 * log-in (0.17 s of processor time; `pbkdf2` takes 2 ms) and does not compare the server's signature.
 */
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { type Element, xml } from "@tidings/protocol";
import { type Client, client } from "@xmpp/client";
import { hearLateErrors } from "./dial.ts";

const NS_SASL = "urn:ietf:params:xml:ns:xmpp-sasl";
const MECHANISM = "SCRAM-SHA-1";
const STEP_TIMEOUT_MS = 8_000;
const MAX_ITERATIONS = 200_000;
/** Failures that say that the name or the password is wrong (RFC 6120 §6.5). */
const WRONG = new Set(["not-authorized", "account-disabled", "credentials-expired", "invalid-authzid"]);

/** The check itself failed: the server cannot be reached, offers no SCRAM over TLS, or does not know the password either. */
export class PasswordCheckError extends Error {
  override readonly name = "PasswordCheckError";
}

export interface PasswordCheck {
  /** Client listener of the users cluster, such as `xmpp://127.0.0.1:5222`. */
  readonly service: string;
  /** Domain of the accounts; the server's certificate must be for it. */
  readonly domain: string;
  readonly name: string;
  readonly password: string;
}

/** Whether `password` is the one of the account `name`@`domain`. Rejects with {@link PasswordCheckError} after at most 20 s. */
export async function checkPassword(check: PasswordCheck): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const failed = (cause: unknown) =>
    reject(new PasswordCheckError("the password could not be checked", { cause }));
  const entity = client({
    service: check.service,
    domain: check.domain,
    credentials: (_authenticate, mechanisms, _fast, connection) => {
      exchange(connection, mechanisms, check).then(resolve, failed);
      return new Promise(() => undefined); // never: what follows would be a new stream and a resource
    },
  });
  entity.timeout = STEP_TIMEOUT_MS;
  entity.reconnect.stop();
  entity.on("error", failed);
  entity.on("disconnect", () => failed(new Error("the server closed the connection")));
  const timer = setTimeout(() => failed(new Error("no answer in time")), 2.5 * STEP_TIMEOUT_MS);
  entity.start().catch(failed);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    // Not `entity.disconnect()`: between success and the next stream there is no stream to close, and it would wait for one.
    entity.socket?.end();
  }
}

async function exchange(
  entity: Client,
  mechanisms: readonly string[],
  check: PasswordCheck,
): Promise<boolean> {
  hearLateErrors(entity);
  if (!entity.isSecure()) throw new Error("the connection is not encrypted");
  if (!mechanisms.includes(MECHANISM)) throw new Error(`the server does not offer ${MECHANISM}`);
  const first = clientFirst(check.name, randomBytes(18).toString("base64"));
  const challenge = await ask(entity, xml("auth", { xmlns: NS_SASL, mechanism: MECHANISM }, base64(first)));
  if (challenge.name === "failure") return refused(challenge);
  const { message, serverSignature } = await clientFinal(first, fromBase64(challenge.text()), check.password);
  const outcome = await ask(entity, xml("response", { xmlns: NS_SASL }, base64(message)));
  if (outcome.name === "failure") return refused(outcome);
  if (outcome.name !== "success" || !isEqual(fromBase64(outcome.text()), `v=${serverSignature}`)) {
    throw new Error("the server did not prove that it knows the password");
  }
  return true;
}

function ask(entity: Client, element: Element): Promise<Element> {
  return entity.sendReceive(element, STEP_TIMEOUT_MS);
}

/** False for a wrong name or password; throws for failures that say nothing about them. */
function refused(failure: Element): false {
  const condition = failure.getChildElements().find((child) => child.name !== "text")?.name ?? "unknown";
  if (WRONG.has(condition)) return false;
  throw new Error(`the server refused the exchange: ${condition}`);
}

/** The first message of the client for `name` (RFC 5802 §7), without channel binding. */
export function clientFirst(name: string, nonce: string): string {
  return `n,,n=${name.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`;
}

/**
 * The final message of the client and the signature (base64) that the server must answer with (RFC 5802 §3). Rejects when
 * the server's `challenge` is malformed, does not continue the nonce, or asks for an absurd number of iterations.
 */
export async function clientFinal(
  first: string,
  challenge: string,
  password: string,
): Promise<{ message: string; serverSignature: string }> {
  const firstBare = first.slice("n,,".length);
  const { nonce, salt, iterations } = readChallenge(challenge, firstBare.slice(firstBare.indexOf(",r=") + 3));
  const salted = await promisify(pbkdf2)(password, salt, iterations, 20, "sha1");
  const withoutProof = `c=biws,r=${nonce}`;
  const signed = `${firstBare},${challenge},${withoutProof}`;
  const clientKey = hmac(salted, "Client Key");
  const signature = hmac(createHash("sha1").update(clientKey).digest(), signed);
  const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
  return {
    message: `${withoutProof},p=${proof.toString("base64")}`,
    serverSignature: hmac(hmac(salted, "Server Key"), signed).toString("base64"),
  };
}

function readChallenge(
  challenge: string,
  ownNonce: string,
): { nonce: string; salt: Buffer; iterations: number } {
  const [, nonce, salt, count] = /^r=([^,]+),s=([^,]+),i=(\d+)(?:,|$)/.exec(challenge) ?? [];
  if (nonce === undefined || salt === undefined || !nonce.startsWith(ownNonce) || nonce === ownNonce) {
    throw new Error("the server's challenge is malformed");
  }
  const iterations = Number(count);
  if (iterations < 1 || iterations > MAX_ITERATIONS)
    throw new Error(`the server asks for ${iterations} iterations`);
  return { nonce, salt: Buffer.from(salt, "base64"), iterations };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha1", key).update(text).digest();
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString();
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
