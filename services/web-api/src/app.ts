/** The HTTP interface: safety headers, sessions, errors as problem details, and the routes. */
import cookie from "@fastify/cookie";
import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import type { Bus } from "@tidings/bus";
import type { Addresses } from "@tidings/protocol";
import { counter, type Log } from "@tidings/runtime";
import fastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { avatarCalls } from "./avatar-calls.ts";
import { LiveUsers } from "./live/live-users.ts";
import { QueueDepths } from "./operations/queue-depths.ts";
import type { App, Parts } from "./parts.ts";
import { nothingHere, Problem, problemOf } from "./problem.ts";
import { destinationRoutes } from "./routes/destinations.ts";
import { describeRoutes, docRoutes } from "./routes/docs.ts";
import { eventRoutes } from "./routes/events.ts";
import { exportRoutes } from "./routes/export.ts";
import { feedLinkRoutes, feedRoutes } from "./routes/feeds.ts";
import { fleetRoutes } from "./routes/fleet.ts";
import { healthRoutes } from "./routes/health.ts";
import { historyRoutes } from "./routes/history.ts";
import { hubRoutes } from "./routes/hubs.ts";
import { inboxRoutes } from "./routes/inboxes.ts";
import { meRoutes } from "./routes/me.ts";
import { operationRoutes, requireOperator } from "./routes/operations.ts";
import { operatorAvatarRoutes } from "./routes/operator-avatars.ts";
import { operatorUserRoutes } from "./routes/operator-users.ts";
import { opmlRoutes } from "./routes/opml.ts";
import { pageRoutes } from "./routes/page.ts";
import { previewRoutes } from "./routes/preview.ts";
import { publishRoutes } from "./routes/publish.ts";
import { publisherRoutes, shareRoutes } from "./routes/publishers.ts";
import { ruleRoutes } from "./routes/rules.ts";
import { sessionRoutes, signInRoutes } from "./routes/sessions.ts";
import { subscriptionRoutes } from "./routes/subscriptions.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { userRoutes } from "./routes/users.ts";
import { authenticate } from "./session.ts";
import { signInGuard } from "./sign-in-guard.ts";

const MAX_BODY_BYTES = 1_048_576;
/** For a request to arrive whole, so that a client that sends a byte now and then holds nothing. */
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_MS = 30_000;

export interface AppSettings {
  readonly addresses: Addresses;
  readonly bus: Bus;
  readonly queue: Parts["queue"];
  readonly checkPassword: (name: string, password: string) => Promise<boolean>;
  readonly signUpsPerMinute: number;
  readonly publishesPerMinute: number;
  readonly mailDomain: string;
  /** Of what hubs are told; null: none is heard. */
  readonly hubKey: string | null;
  readonly trustedProxies: readonly string[];
  /** Who shows it is an operator; null: nobody is. */
  readonly operatorToken: string | null;
  readonly log: Log;
}

const REQUESTS = counter("tidings_requests_total", "Answers to HTTP requests.", [
  "method",
  "route",
  "status",
]);

/** The application, ready to listen or to be asked by `inject`. */
export async function createApp(settings: AppSettings): Promise<App> {
  const { addresses, bus, queue, log, publishesPerMinute, mailDomain, hubKey } = settings;
  const app: App = fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    return503OnClosing: true,
    forceCloseConnections: "idle",
    frameworkErrors: (error, _request, reply) => answerProblem(problemOf(error), reply as FastifyReply),
  });
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  takeJsonOnly(app);
  addHooks(app, log);
  const parts = {
    addresses,
    bus,
    queue,
    log,
    publishesPerMinute,
    mailDomain,
    hubKey,
    depths: new QueueDepths(queue),
    live: new LiveUsers(bus, addresses.silo),
    avatars: avatarCalls(bus, addresses),
    guard: signInGuard(settings),
  };
  await app.register(cookie);
  await describeRoutes(app);
  await addRoutes(app, parts, settings.operatorToken);
  await app.ready();
  return app;
}

async function addRoutes(app: App, parts: Parts, operatorToken: string | null): Promise<void> {
  const open = [healthRoutes, userRoutes, signInRoutes, feedRoutes, publishRoutes, shareRoutes, hubRoutes];
  for (const add of open) add(app, parts);
  await app.register(async (scope: App) => {
    scope.addHook("onRequest", async (request) => {
      request.caller = authenticate(request);
    });
    const routes = [
      sessionRoutes,
      tokenRoutes,
      meRoutes,
      exportRoutes,
      previewRoutes,
      subscriptionRoutes,
      opmlRoutes,
      historyRoutes,
      feedLinkRoutes,
      destinationRoutes,
      publisherRoutes,
      inboxRoutes,
      eventRoutes,
      ruleRoutes,
    ];
    for (const add of routes) add(scope, parts);
  });
  await app.register(async (scope: App) => {
    scope.addHook("onRequest", async (request) => requireOperator(request, operatorToken));
    for (const add of [operationRoutes, fleetRoutes, operatorAvatarRoutes, operatorUserRoutes])
      add(scope, parts);
  });
  await docRoutes(app);
  await pageRoutes(app);
}

/** JSON alone is read, and an empty body as none. `__proto__` stays a field like others, which no schema knows. */
function takeJsonOnly(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, body === "" ? undefined : JSON.parse(String(body)));
    } catch (cause) {
      done(new Problem(400, "The body is not JSON.", { cause }));
    }
  });
}

function addHooks(app: App, log: Log): void {
  app.decorateRequest("caller", null);
  app.addHook("onRequest", async (request, reply) => addSafetyHeaders(request, reply));
  app.addHook("onResponse", async (request, reply) => logAnswer(log, request, reply));
  app.setNotFoundHandler((_request, reply) => answerProblem(nothingHere(), reply));
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    logProblem(log, problem, request);
    return answerProblem(problem, reply);
  });
}

function answerProblem(problem: Problem, reply: FastifyReply): FastifyReply {
  if (problem.status === 401) reply.header("www-authenticate", "Bearer");
  if (problem.retryAfterSeconds !== null) reply.header("retry-after", String(problem.retryAfterSeconds));
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json")
    .serializer(JSON.stringify)
    .send(problem.details);
}

function addSafetyHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({
    "content-security-policy":
      "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
  });
  if (request.url.startsWith("/v1/")) reply.header("cache-control", "no-store");
}

/** The route is logged as it was written, never as it was asked: a query or a path may hold what is nobody's business. */
function logAnswer(log: Log, request: FastifyRequest, reply: FastifyReply): void {
  const fields = {
    method: request.method,
    route: request.routeOptions.url ?? null,
    status: reply.statusCode,
    elapsedMs: Math.round(reply.elapsedTime),
    user: request.caller?.name ?? null,
  };
  REQUESTS.inc({ method: fields.method, route: fields.route ?? "none", status: String(fields.status) });
  log.info(fields, "request answered");
}

function logProblem(log: Log, problem: Problem, request: FastifyRequest): void {
  const fields = {
    route: request.routeOptions.url ?? null,
    status: problem.status,
    err: problem.cause ?? problem,
  };
  if (problem.status === 500) log.error(fields, "request failed");
  else if (problem.status > 500) log.warn(fields, "request cannot be served now");
}
