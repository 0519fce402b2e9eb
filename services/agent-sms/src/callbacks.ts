/**
 * Where the provider calls back: how far a message has come, and what people answer. Listens on loopback; a reverse proxy
 * brings the calls of `publicUrl` here. Each call is signed with the account's token over the address that the provider
 * called and all its fields (https://www.twilio.com/docs/usage/webhooks/webhooks-security); what is not is 403, and is not looked into.
 */
import { CallError } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import twilio from "twilio";
import type { Heard } from "./replies.ts";
import type { StatusNews } from "./status-news.ts";

const LOOPBACK = "127.0.0.1";
const BODY_LIMIT_BYTES = 32_768;
const REQUEST_TIMEOUT_MS = 10_000;
/** The provider's name of a message. */
const SID = /^[A-Za-z0-9]{1,64}$/;
const NAMELESS = "MessageSid must name a message.";
const FORGED =
  "The signature does not fit. TIDINGS_SMS_CALLBACK_URL must be the address that the provider calls, and TWILIO_AUTH_TOKEN the account's.";

/** Who is told. */
export interface Listener {
  statusChanged(news: StatusNews): void;
  /** Resolves with what to answer, or null; rejects with CallError when the call is to be made again. */
  heard(heard: Heard, nowAt: number): Promise<string | null>;
}

export interface CallbackOptions {
  readonly publicUrl: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly agent: Listener;
  readonly log: Log;
}

type Form = Readonly<Record<string, string>>;
type Call = FastifyRequest<{ Body: Form; Querystring: Form }>;

/** The listener, not listening yet; see {@link listen}. */
export function callbacks(options: CallbackOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "application/x-www-form-urlencoded",
    { parseAs: "string" },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.addHook("preHandler", async (request, reply) => {
    if (isSigned(request as Call, options)) {
      if (!SID.test((request as Call).body.MessageSid ?? ""))
        await reply.code(400).type("text/plain").send(NAMELESS);
      return;
    }
    options.log.warn({ path: request.routeOptions.url }, "a forged callback was refused");
    await reply.code(403).type("text/plain").send(FORGED);
  });
  app.setErrorHandler(async (error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500) options.log.error({ err: error }, "a callback failed");
    await reply.code(status).type("text/plain").send("This call could not be taken.");
  });
  app.post("/sms/status", async (request: Call, reply) => {
    options.agent.statusChanged(newsOf(request));
    return reply.code(204).send();
  });
  app.post("/sms/inbound", (request: Call, reply) => answer(request, reply, options));
  return app;
}

/** Begins to listen on `port` of the loopback address; 0: any. Resolves with the port. */
export async function listen(app: FastifyInstance, port: number): Promise<number> {
  await app.listen({ host: LOOPBACK, port });
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

function isSigned(
  { headers, raw, body }: Call,
  { publicUrl, accountSid, authToken }: CallbackOptions,
): boolean {
  const signature = headers["x-twilio-signature"];
  if (typeof signature !== "string" || typeof body !== "object" || body === null) return false;
  return (
    twilio.validateRequest(authToken, signature, publicUrl + raw.url, body) && body.AccountSid === accountSid
  );
}

function newsOf({ query, body }: Call): StatusNews {
  return {
    delivery: Number(query.delivery),
    attempt: Number(query.attempt),
    sid: body.MessageSid ?? "",
    status: body.MessageStatus ?? "",
    code: Number(body.ErrorCode || Number.NaN),
  };
}

/** TwiML: an answer in it is sent as a message of its own. */
async function answer(
  { body }: Call,
  reply: FastifyReply,
  { agent, log }: CallbackOptions,
): Promise<FastifyReply> {
  try {
    const said = await agent.heard(heardIn(body), Date.now());
    const response = new twilio.twiml.MessagingResponse();
    if (said !== null) response.message(said);
    return reply.type("text/xml").send(response.toString());
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    log.warn({ err: error }, "an answer could not be taken now");
    return reply.code(503).type("text/plain").send(error.message);
  }
}

function heardIn(body: Form): Heard {
  return {
    id: body.MessageSid ?? "",
    number: body.From ?? "",
    text: body.Body ?? "",
    isAnswered: (body.OptOutType ?? "") !== "",
  };
}
