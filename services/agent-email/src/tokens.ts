/**
 * The addresses by which a bounce or a reply says which message it speaks of.
 *
 *     bounce+1k-1-5c0d…@in.example.org     envelope sender: RFC 5321 §4.5.5, where bounces go
 *     reply+1k-1-77ae…@in.example.org      Reply-To, and where the mailbox unsubscribes
 *            │  │ └── HMAC-SHA-256, 80 bits, over what it is for, these numbers and the delivery
 *            │  └──── attempt
 *            └─────── number in the ledger
 *
 * Only who has had the message, or carried it, knows its tokens. The delivery is signed too: a ledger that was lost and
 * begins anew gives a number to another, whose token is not the same. All in lower case, as mail systems may change it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { LedgerEntry } from "@tidings/agent";

export type Purpose = "bounce" | "reply" | "unsubscribe";

/** What of a message is signed. */
export type Signed = Pick<LedgerEntry, "id" | "key" | "attempt">;

const MAC_CHARS = 20;
const TOKEN = /^([0-9a-z]{1,10})-([0-9a-z]{1,5})-([0-9a-f]{20})$/;
const ADDRESS = /^(bounce|reply)\+([0-9a-z-]{1,50})@(.+)$/;

export class Tokens {
  readonly #secret: string;
  readonly #mailDomain: string;

  /** `secret` is the installation's own; `mailDomain` is where its mail comes in. */
  constructor(secret: string, mailDomain: string) {
    this.#secret = secret;
    this.#mailDomain = mailDomain.toLowerCase();
  }

  /** Where a bounce of the message, or the answer to it, goes. */
  address(purpose: Exclude<Purpose, "unsubscribe">, message: Signed): string {
    return `${purpose}+${this.token(purpose, message)}@${this.#mailDomain}`;
  }

  token(purpose: Purpose, { id, key, attempt }: Signed): string {
    const mac = createHmac("sha256", this.#secret)
      .update(JSON.stringify([purpose, id, attempt, key]))
      .digest("hex")
      .slice(0, MAC_CHARS);
    return `${id.toString(36)}-${attempt.toString(36)}-${mac}`;
  }

  /** What the address `recipient` is for, and its token; null when it is none of ours. */
  addressed(recipient: string): { readonly purpose: "bounce" | "reply"; readonly token: string } | null {
    const [, purpose, token = "", domain] = ADDRESS.exec(recipient.toLowerCase()) ?? [];
    if (domain !== this.#mailDomain) return null;
    return purpose === "bounce" || purpose === "reply" ? { purpose, token } : null;
  }

  /** The message that `token` speaks of, as `byId` finds it, and its attempt; null when the token is not ours. */
  message<E extends Signed>(
    purpose: Purpose,
    token: string,
    byId: (id: number) => E | undefined,
  ): { readonly entry: E; readonly attempt: number } | null {
    const [, number = "", attemptText = ""] = TOKEN.exec(token) ?? [];
    const id = Number.parseInt(number, 36);
    const attempt = Number.parseInt(attemptText, 36);
    const entry = Number.isSafeInteger(id) ? byId(id) : undefined;
    if (entry === undefined || !Number.isSafeInteger(attempt)) return null;
    const own = this.token(purpose, { id, key: entry.key, attempt });
    const isOwn = own.length === token.length && timingSafeEqual(Buffer.from(own), Buffer.from(token));
    return isOwn ? { entry, attempt } : null;
  }
}
