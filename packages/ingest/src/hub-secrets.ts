/** What a hub is told of a source: an address that nobody guesses, and a secret to sign with. Both follow from one key. */
import { createHmac, timingSafeEqual } from "node:crypto";

const ALGORITHMS = new Set(["sha1", "sha256", "sha384", "sha512"]);

/** The path at web-api to which a hub sends what is new of `source`. */
export function hubCallbackPath(key: string, source: string): string {
  return `/websub/${source}/${macOf(key, source)}`;
}

/** Whether `mac` is that in the callback of `source`. */
export function isHubCallback(key: string, source: string, mac: string): boolean {
  return isSame(Buffer.from(mac), Buffer.from(macOf(key, source)));
}

/** With which the hub signs what it sends of `source` (hub.secret: less than 200 bytes). */
export function hubSecret(key: string, source: string): string {
  return createHmac("sha256", key).update(`websub secret ${source}`).digest("hex");
}

/** Whether `header` (X-Hub-Signature: `method=signature`, WebSub §7) signs `body` with `secret`. */
export function isSignedByHub(header: string, secret: string, body: Uint8Array): boolean {
  const [, method = "", signature = ""] = /^(\w+)=([0-9a-f]+)$/i.exec(header.trim()) ?? [];
  if (!ALGORITHMS.has(method.toLowerCase())) return false;
  const expected = createHmac(method.toLowerCase(), secret).update(body).digest();
  return isSame(Buffer.from(signature, "hex"), expected);
}

function macOf(key: string, source: string): string {
  return createHmac("sha256", key).update(`websub callback ${source}`).digest("base64url").slice(0, 32);
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
