/** The OpenAPI document and its reference page. All of it served from here. */
import { createHash } from "node:crypto";
import swagger from "@fastify/swagger";
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteOptions,
} from "fastify";
import Type from "typebox";
import type { App } from "../parts.ts";

const hidden = { hide: true } as const;

/** Collects the schemas of all routes that are registered after it. */
export async function describeRoutes(app: App): Promise<void> {
  app.addHook("onRoute", requireSchema);
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Tidings",
        version: "1",
        description: "Feeds in, notifications out. Times are RFC 3339 in UTC.",
      },
      tags: [
        "users",
        "sessions",
        "me",
        "subscriptions",
        "history",
        "feed",
        "destinations",
        "rules",
        "health",
        "operations",
      ].map((name) => ({
        name,
      })),
      components: {
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", description: "A token from POST /v1/sessions." },
          operator: {
            type: "http",
            scheme: "bearer",
            description: "The token in secrets/operator of the state folder.",
          },
          cookie: {
            type: "apiKey",
            in: "cookie",
            name: "tidings_session",
            description: "Set by POST /v1/sessions. Changes are taken from pages of the same origin only.",
          },
        },
      },
    },
  });
}

/** Throws for a route without a schema, so that none can be added by oversight. */
export function requireSchema({
  method,
  url,
  schema,
}: Pick<RouteOptions, "method" | "url" | "schema">): void {
  if (schema === undefined) throw new Error(`the route ${method} ${url} has no schema`);
}

export async function docRoutes(app: App): Promise<void> {
  const schema = { ...hidden, response: { 200: Type.Unknown() } };
  app.get("/openapi.json", { schema }, async () => app.swagger());
  const page = referencePage();
  app.get("/docs", { schema: hidden }, page);
  app.get("/docs/*", { schema: hidden }, page);
}

/**
 * Serves the reference page, which is loaded when it is first asked for: it takes 50 MB of memory, and most
 * installations never show it.
 */
function referencePage() {
  let loading: Promise<FastifyInstance> | null = null;
  return async (request: FastifyRequest, reply: FastifyReply) => {
    loading ??= loadReference();
    const inner = await (await loading).inject({ method: "GET", url: request.url });
    reply.code(inner.statusCode);
    for (const name of ["content-type", "location", "etag", "cache-control"]) {
      const value = inner.headers[name];
      if (value !== undefined) reply.header(name, value);
    }
    allowOwnScripts(reply, inner.body);
    return reply.send(inner.rawPayload);
  };
}

async function loadReference(): Promise<FastifyInstance> {
  const { default: reference } = await import("@scalar/fastify-api-reference");
  const page = fastify();
  await page.register(reference, {
    routePrefix: "/docs",
    configuration: {
      url: "/openapi.json",
      pageTitle: "Tidings: interface",
      withDefaultFonts: false,
      telemetry: false,
      hideClientButton: true,
      agent: { disabled: true },
      mcp: { disabled: true },
    },
  });
  return page;
}

/** The page may run its own scripts and those written in it here, named by their hashes (CSP 3 §2.3.1), and no other. */
function allowOwnScripts(reply: FastifyReply, payload: unknown): void {
  const isPage = String(reply.getHeader("content-type")).startsWith("text/html");
  if (!isPage || typeof payload !== "string") return;
  const inline = [...payload.matchAll(/<script(?: [^>]*)?>([\s\S]+?)<\/script>/g)].map(
    ([, text = ""]) => text,
  );
  const hashes = inline.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  reply.header(
    "content-security-policy",
    `default-src 'none'; script-src 'self' ${hashes.join(" ")}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; ` +
      "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  );
}
