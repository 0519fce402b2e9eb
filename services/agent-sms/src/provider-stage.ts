/**
 * For tests: an HTTP server that behaves as the provider's REST API does, with its answers, its errors and its signed
 * callbacks (https://www.twilio.com/docs/messaging/api/message-resource). It keeps each request as it came.
 */
import { createHmac, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export const ACCOUNT_SID = `AC${"0".repeat(32)}`;
export const AUTH_TOKEN = "token of the tests";
export const FROM = "+12025550199";
const MESSAGES = `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`;

export interface SentMessage {
  readonly sid: string;
  readonly to: string;
  readonly body: string;
  readonly statusCallback: string | null;
  readonly createdAt: number;
}

/**
 * What the provider does with a message: takes it; answers with an error and does not take it; takes it and breaks the
 * connection; breaks it without having taken anything; takes it and answers with an error.
 */
export type Behaviour =
  | "takes"
  | { readonly status: number; readonly code: number }
  | "takesAndBreaks"
  | "breaks"
  | "takesAndFails";

/** Begins to listen on a free port of the loopback address. */
export async function setProvider() {
  const requests: string[] = [];
  const messages: SentMessage[] = [];
  const provider = {
    base: "",
    /** Requests as they came, with what differs from run to run left out. */
    requests,
    /** What was taken. */
    messages,
    /** What becomes of the next messages; the last one stays. */
    behaviours: ["takes"] as Behaviour[],
    /** What becomes of messages to a number, whatever is said of others. */
    behavioursOf: new Map<string, Behaviour>(),
    /** Whether its list shows what it took. */
    isListing: true,
    texts: () => messages.map(({ body }) => body),
    /** Tells the callback of `message` its status; resolves with the HTTP status that came back. */
    tells: (message: SentMessage | undefined, status: string, errorCode = "") =>
      call(String(message?.statusCallback), {
        MessageSid: message?.sid ?? "",
        MessageStatus: status,
        ...(errorCode === "" ? {} : { ErrorCode: errorCode }),
        To: message?.to ?? "",
        From: FROM,
      }),
    /** Somebody answers from `number`; resolves with what came back. */
    hears: (callbackUrl: string, number: string, body: string, more: Readonly<Record<string, string>> = {}) =>
      call(`${callbackUrl}/sms/inbound`, {
        MessageSid: `SM${randomBytes(16).toString("hex")}`,
        From: number,
        To: FROM,
        Body: body,
        ...more,
      }),
    stop: () => new Promise((resolve) => server.close(resolve)),
    /** Listens again, after `stop`, at the same address. */
    comesBack: () => listening(Number(new URL(provider.base).port)),
  };
  let count = 0;

  const server = createServer((request, response) => {
    void serve(request, response);
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    requests.push(recorded(request, body));
    response.setHeader("connection", "close");
    const credentials = `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString("base64")}`;
    const { pathname, searchParams } = new URL(request.url ?? "", provider.base);
    if (request.headers.authorization !== credentials) return fail(response, 401, 20_003);
    if (pathname !== MESSAGES) return fail(response, 404, 20_404);
    if (request.method === "GET") return list(response, searchParams.get("To"));
    await take(response, new URLSearchParams(body));
  }

  function next(): Behaviour {
    const [behaviour = "takes"] = provider.behaviours;
    if (provider.behaviours.length > 1) provider.behaviours.shift();
    return behaviour;
  }

  async function take(response: ServerResponse, form: URLSearchParams): Promise<void> {
    const behaviour = provider.behavioursOf.get(form.get("To") ?? "") ?? next();
    if (typeof behaviour === "object") return fail(response, behaviour.status, behaviour.code);
    if (behaviour === "breaks") return void response.destroy();
    count += 1;
    const message = {
      sid: `SM${count.toString(16).padStart(32, "0")}`,
      to: form.get("To") ?? "",
      body: form.get("Body") ?? "",
      statusCallback: form.get("StatusCallback"),
      createdAt: Date.now(),
    };
    messages.push(message);
    if (behaviour === "takesAndBreaks") return void response.destroy();
    if (behaviour === "takesAndFails") return fail(response, 500, 20_500);
    answer(response, 201, shown(message));
  }

  function list(response: ServerResponse, to: string | null): void {
    const found = messages.filter((message) => provider.isListing && message.to === to).toReversed();
    answer(response, 200, { messages: found.map(shown), page: 0, page_size: 20, next_page_uri: null });
  }

  function listening(port: number): Promise<void> {
    return new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  }

  await listening(0);
  provider.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return provider;
}

export type ProviderStage = Awaited<ReturnType<typeof setProvider>>;

/** A callback as the provider makes it. */
async function call(url: string, fields: Readonly<Record<string, string>>) {
  const form = { AccountSid: ACCOUNT_SID, ApiVersion: "2010-04-01", ...fields };
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "x-twilio-signature": signature(url, form, AUTH_TOKEN),
    },
    body: new URLSearchParams(form),
  });
  return { status: response.status, body: await response.text() };
}

/** The address and then each field in the order of the names, as HMAC-SHA1 in Base64. */
export function signature(url: string, form: Readonly<Record<string, string>>, token: string): string {
  const fields = Object.keys(form)
    .toSorted()
    .map((name) => name + form[name]);
  return createHmac("sha1", token)
    .update(url + fields.join(""))
    .digest("base64");
}

function recorded({ method, url, headers }: IncomingMessage, body: string): string {
  const { authorization, accept } = headers;
  const fields = [...new URLSearchParams(body)].map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const callback = /127\.0\.0\.1:\d+/g;
  return [
    `${method} ${url}`,
    `accept: ${accept}`,
    `authorization: ${authorization}`,
    ...(headers["content-type"] === undefined ? [] : [`content-type: ${headers["content-type"]}`]),
    "",
    ...fields,
    "",
  ]
    .join("\n")
    .replace(callback, "127.0.0.1:<port>");
}

function shown({ sid, to, body, createdAt }: SentMessage) {
  return {
    sid,
    account_sid: ACCOUNT_SID,
    to,
    from: FROM,
    body,
    status: "queued",
    direction: "outbound-api",
    num_segments: "1",
    error_code: null,
    error_message: null,
    date_created: new Date(createdAt).toUTCString(),
    date_sent: null,
  };
}

function fail(response: ServerResponse, status: number, code: number): void {
  answer(response, status, { code, message: `error ${code}`, more_info: "", status });
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
