/**
 * Whether the domain that a mail says it is from vouches for it: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489) and ARC
 * (RFC 8617), by mailauth. It is written beside the mail and refuses none: a forwarded mail fails SPF by its nature.
 *
 * Keys and policies stand in the DNS, which may be slow, away or hostile: each mail has a few look-ups and a few seconds,
 * and while no name server answers, none is asked.
 */
import type { Resolver } from "node:dns/promises";
import type { MailSender, SenderCheck } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { type AuthenticateResult, authenticate } from "mailauth";

/** From the SMTP session that brought the mail. */
export interface Envelope {
  readonly ip: string;
  readonly helo: string;
  /** MAIL FROM; empty for a bounce. */
  readonly sender: string;
}

/** Look-ups for one mail: SPF alone may take ten (RFC 7208 §4.6.4), each signature takes one. */
const MAX_LOOKUPS = 40;
/** Signatures and seals are worked on in full, so somebody else's thousand would cost us dear. */
const MAX_SIGNATURES = 10;
/** More is not worth a block of the event loop (bytes). */
const MAX_BYTES = 1_048_576;
const WITHIN_MS = 3_000;
/** So many look-ups in a row without an answer, and none is tried for a while (milliseconds). */
const UNANSWERED = 6;
const NOT_TRIED_MS = 30_000;

const NAMED: readonly string[] = ["pass", "fail", "softfail", "neutral", "none", "policy", "permerror"];

export interface CheckMeans {
  /** Of node:dns/promises, or something that resolves and rejects like it. */
  readonly dns: Pick<Resolver, "resolve">;
  /** This host's name in what is noted. */
  readonly name: string;
  readonly log: Log;
  readonly withinMs?: number;
}

export class SenderChecker {
  readonly #means: CheckMeans;
  #unanswered = 0;
  #notBeforeMs = 0;

  constructor(means: CheckMeans) {
    this.#means = means;
  }

  /** What the checks of `raw` find about `address`, the one in its From. Resolves in any case, after 3 s at the latest. */
  async check(raw: Buffer, address: string, envelope: Envelope): Promise<MailSender> {
    const { log, withinMs = WITHIN_MS } = this.#means;
    const isTooMuch = raw.length > MAX_BYTES || signaturesIn(raw) > MAX_SIGNATURES;
    if (address === "" || isTooMuch) return unchecked(address);
    const limit = { left: MAX_LOOKUPS, untilMs: performance.now() + withinMs };
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, withinMs, null);
    });
    try {
      const found = await Promise.race([this.#authenticate(raw, envelope, limit), tooLate]);
      return found === null ? unchecked(address) : senderOf(address, found);
    } catch (error) {
      log.info({ err: error }, "the sender of a mail could not be checked");
      return unchecked(address);
    } finally {
      clearTimeout(timer);
    }
  }

  #authenticate(raw: Buffer, { ip, helo, sender }: Envelope, limit: Limit): Promise<AuthenticateResult> {
    return authenticate(raw, {
      ip,
      helo,
      sender,
      mta: this.#means.name,
      disableBimi: true,
      resolver: (name, type) => this.#resolve(name, type, limit),
    });
  }

  async #resolve(name: string, type: string, limit: Limit): Promise<string[] | string[][]> {
    const nowMs = performance.now();
    if (limit.left-- <= 0 || nowMs > limit.untilMs || nowMs < this.#notBeforeMs) throw noAnswer(name);
    try {
      const found = await this.#means.dns.resolve(name, type);
      this.#unanswered = 0;
      return found as string[] | string[][];
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      this.#unanswered = isAnswer(code) ? 0 : this.#unanswered + 1;
      if (this.#unanswered === UNANSWERED) this.#rests();
      throw error;
    }
  }

  #rests(): void {
    this.#unanswered = 0;
    this.#notBeforeMs = performance.now() + NOT_TRIED_MS;
    this.#means.log.warn("no name server answers; senders of mail are not checked for 30 s");
  }
}

interface Limit {
  left: number;
  readonly untilMs: number;
}

/** Which of `code` a server has said; the others are ways not to have heard from one. */
function isAnswer(code: string): boolean {
  return ["ENOTFOUND", "ENODATA", "ESERVFAIL", "EREFUSED", "EBADRESP", "EFORMERR"].includes(code);
}

function noAnswer(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${name} was not looked up`), { code: "ETIMEOUT" });
}

function signaturesIn(raw: Buffer): number {
  const end = raw.indexOf("\r\n\r\n");
  const head = raw.subarray(0, end < 0 ? raw.length : end).toString("latin1");
  return head.match(/^(dkim-signature|arc-seal|arc-message-signature):/gim)?.length ?? 0;
}

function unchecked(address: string): MailSender {
  const checks = { spf: "temperror", dkim: "temperror", dmarc: "temperror", arc: "temperror" } as const;
  return { address, isProven: false, checks };
}

function senderOf(address: string, found: AuthenticateResult): MailSender {
  const { spf, dkim, dmarc, arc } = found;
  const signed = dkim.results.filter(({ status }) => status.result === "pass");
  const [best] = [...signed, ...dkim.results];
  const checks = {
    spf: named(spf === false ? null : spf.status.result),
    dkim: named(best?.status.result),
    dmarc: named(dmarc === false ? null : dmarc.status.result),
    arc: named(arc === false ? null : arc.status.result),
  };
  return { address, isProven: isOf(address, found) && isVouchedFor(found), checks };
}

/** Two readers of one From may see two addresses; then nobody is proven. */
function isOf(address: string, { dkim, dmarcSkipReason }: AuthenticateResult): boolean {
  const [only, ...others] = dkim.headerFrom ?? [];
  const isSame = only?.toLowerCase() === address.toLowerCase();
  return dmarcSkipReason === undefined && others.length === 0 && isSame;
}

function isVouchedFor({ dkim, dmarc }: AuthenticateResult): boolean {
  // Only the beginning of the body is signed where `l=` says so: anybody can write below it.
  const isSigned = dkim.results.some(
    ({ status }) => status.result === "pass" && Boolean(status.aligned) && !status.underSized,
  );
  const isSentByThem =
    dmarc !== false && dmarc.status.result === "pass" && dmarc.alignment.spf.result !== undefined;
  return isSigned || isSentByThem;
}

function named(result: string | null | undefined): SenderCheck {
  if (result == null) return "none";
  return (NAMED.includes(result) ? result : "temperror") as SenderCheck;
}
