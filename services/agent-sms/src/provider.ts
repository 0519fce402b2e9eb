/**
 * The provider, by its own client. What matters of an answer is whether the message was taken:
 *
 *     201                                     taken, with the provider's name for it
 *     400 … 499                               refused, and a later try changes nothing
 *     429, 503, no connection                 not taken: may be sent again
 *     another 5xx, a break, or no answer      nobody knows: must not be sent again; `find` tells later
 */
import { Turnstile } from "@tidings/runtime";
import twilio from "twilio";
import type Transport from "twilio/lib/base/RequestClient.js";
import { type ProviderRefusal, refusalFor } from "./provider-refusals.ts";

const { Twilio, RequestClient } = twilio;
const PROVIDERS_BASE = "https://api.twilio.com";

/** Below the deadline in which a service stops: the answer to what is under way is worth waiting for. */
const TIMEOUT_MS = 8_000;
/** How many requests run at a time; others wait. */
const MAX_REQUESTS = 20;
/** How many of the latest messages to a number are looked at. */
const LOOK_BACK = 20;
/** The provider's clock may be behind ours (milliseconds). */
const CLOCK_SKEW_MS = 60_000;
/** Errors of a connection that was never made. */
const NEVER_CONNECTED = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

export interface ProviderAccount {
  readonly base: string;
  readonly accountSid: string;
  readonly authToken: string;
  /** A number in E.164, a name that the provider allows, or the id `MG…` of a messaging service. */
  readonly from: string;
}

export interface OutgoingText {
  readonly to: string;
  readonly body: string;
  /** Where the provider is to say what became of it; null: nowhere. */
  readonly statusCallback: string | null;
}

export type SendOutcome =
  | { readonly kind: "taken"; readonly sid: string }
  | ({ readonly kind: "refused" } & ProviderRefusal)
  | { readonly kind: "notTaken"; readonly error: Error }
  | { readonly kind: "unknown"; readonly error: Error };

/** What carries messages. */
export interface Provider {
  /** Resolves in any case. */
  send(text: OutgoingText): Promise<SendOutcome>;
  /** The provider's name for a message of that text to that number since `sinceAt`; null when there is none. Rejects with ProviderError. */
  find(text: OutgoingText, sinceAt: number): Promise<string | null>;
}

export class TwilioProvider implements Provider {
  readonly #client: twilio.Twilio;
  readonly #from: { from: string } | { messagingServiceSid: string };
  readonly #turnstile = new Turnstile(MAX_REQUESTS);

  constructor({ base, accountSid, authToken, from }: ProviderAccount) {
    const httpClient = new RequestsTo(base);
    this.#client = new Twilio(accountSid, authToken, { httpClient });
    this.#from = from.startsWith("MG") ? { messagingServiceSid: from } : { from };
  }

  async send({ to, body, statusCallback }: OutgoingText): Promise<SendOutcome> {
    const callback = statusCallback === null ? {} : { statusCallback };
    try {
      const { sid } = await this.#ask(() =>
        this.#client.messages.create({ ...this.#from, to, body, ...callback }),
      );
      if (typeof sid !== "string")
        return { kind: "unknown", error: new Error("the answer names no message") };
      return { kind: "taken", sid };
    } catch (error) {
      return outcomeOf(error as ProviderError);
    }
  }

  async find({ to, body }: OutgoingText, sinceAt: number): Promise<string | null> {
    const messages = await this.#ask(() => this.#client.messages.list({ to, limit: LOOK_BACK }));
    const found = messages.find(
      (message) => message.body === body && message.dateCreated.getTime() >= sinceAt - CLOCK_SKEW_MS,
    );
    return found?.sid ?? null;
  }

  /** Rejects with ProviderError. */
  async #ask<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await this.#turnstile.pass(request);
    } catch (error) {
      throw new ProviderError(error as Failure);
    }
  }
}

/** The client's own transport, with another host: the client knows the provider's host alone. */
class RequestsTo extends RequestClient {
  readonly #base: string;

  constructor(base: string) {
    super({ timeout: TIMEOUT_MS });
    this.#base = base.replace(/\/+$/, "");
  }

  override request<D>(options: Transport.RequestOptions<D>) {
    return super.request({ ...options, uri: options.uri.replace(PROVIDERS_BASE, this.#base) });
  }
}

/**
 * The provider did not do what was asked. It is made anew from what the client rejects with, which holds the whole request:
 * the account's token, the number and the text would be in every log.
 */
export class ProviderError extends Error {
  override readonly name = "ProviderError";
  /** HTTP status; undefined when there was no answer. */
  readonly status: number | undefined;
  /** The provider's code, or a system's name of what broke the connection. */
  readonly code: number | string | undefined;

  constructor({ message, status, code }: Failure) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Failure extends Error {
  readonly status?: number;
  readonly code?: number | string;
}

function outcomeOf(error: ProviderError): SendOutcome {
  const { status, code } = error;
  if (status === undefined)
    return { kind: NEVER_CONNECTED.has(String(code)) ? "notTaken" : "unknown", error };
  if (status === 429 || status === 503) return { kind: "notTaken", error };
  if (status < 400 || status > 499) return { kind: "unknown", error };
  return { kind: "refused", ...refusalFor(Number(code), status) };
}
