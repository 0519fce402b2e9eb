/**
 * Where a mailbox unsubscribes with one click (RFC 8058): a POST to the address in List-Unsubscribe. Listens on loopback; a
 * reverse proxy brings the calls of TIDINGS_MAIL_PUBLIC_URL here. A GET shows a button and changes nothing, because programs
 * follow links to look what is behind them.
 */
import { type FastifyInstance, fastify } from "fastify";

const LOOPBACK = "127.0.0.1";
const BODY_LIMIT_BYTES = 4_096;
const REQUEST_TIMEOUT_MS = 10_000;
const PATH = "/mail/unsubscribe/:token";
/** Whatever the address, the page has nothing of it. */
const BUTTON = `<!doctype html>
<html><head><meta charset="utf-8"><title>Tidings</title></head>
<body><form method="post"><button>Send me no more mail</button></form></body></html>
`;
const DONE = "You get no more mail from Tidings at this address.\n";
const UNKNOWN =
  "This address is not known, or older than 30 days; take it from a later message, or remove the address in Tidings.\n";

/** Who is told. False when the token is not ours. */
export interface Unsubscriber {
  unsubscribed(token: string): boolean;
}

/** The listener, not listening yet; see {@link serveOneClick}. */
export function oneClick(agent: Unsubscriber): FastifyInstance {
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  // The token says everything; RFC 8058 lets the body come in two forms.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, _body, done) => done(null, null));
  app.get(PATH, (_request, reply) => reply.type("text/html").send(BUTTON));
  app.post<{ Params: { token: string } }>(PATH, (request, reply) => {
    const isDone = agent.unsubscribed(request.params.token);
    return reply
      .code(isDone ? 200 : 404)
      .type("text/plain")
      .send(isDone ? DONE : UNKNOWN);
  });
  return app;
}

/** Listens on `port` of the loopback address; resolves to the function that ends it. Rejects when the port is taken. */
export async function serveOneClick(agent: Unsubscriber, port: number): Promise<() => Promise<void>> {
  const app = oneClick(agent);
  await app.listen({ host: LOOPBACK, port });
  return () => app.close();
}
