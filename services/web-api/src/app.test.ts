import type { HistoryItem } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { beforeAll, describe, expect, test } from "vitest";
import { requireSchema } from "./routes/docs.ts";
import { FEED, openTheatre, PASSWORD, type Theatre } from "./theatre.ts";

interface Operation {
  readonly operationId?: string;
  readonly tags?: readonly string[];
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly responses: object;
  readonly requestBody?: { readonly content: Record<string, object> };
}
interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly securitySchemes: object };
}

let theatre: Theatre;
let api: OpenApi;
let bearer: { authorization: string };
let token: string;

beforeAll(async () => {
  theatre = await openTheatre();
  token = await theatre.signIn("alice");
  bearer = { authorization: `Bearer ${token}` };
  api = (await theatre.app.inject("/openapi.json")).json();
});

const operations = () =>
  Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
const isForOperators = (path: string) => path.startsWith("/v1/operations/");
const isOpen = (path: string, method: string) =>
  !path.startsWith("/v1/") || (method === "POST" && ["/v1/users", "/v1/sessions"].includes(path));

describe("the OpenAPI document", () => {
  test("is 3.1 and names both ways to prove a session", () => {
    expect(api.openapi).toMatch(/^3\.1/);
    expect(Object.keys(api.components.securitySchemes)).toEqual(["bearer", "operator", "cookie"]);
  });

  test("describes every route of this release and no other", () => {
    expect(
      operations()
        .map(({ path, method }) => `${method} ${path}`)
        .sort(),
    ).toEqual(
      [
        "DELETE /v1/destinations/{id}",
        "DELETE /v1/feed",
        "DELETE /v1/inboxes/{id}",
        "DELETE /v1/me",
        "DELETE /v1/operations/users/{name}",
        "DELETE /v1/publishers/{id}",
        "DELETE /v1/publishers/{id}/share",
        "DELETE /v1/sessions/current",
        "DELETE /v1/sessions/{id}",
        "DELETE /v1/subscriptions/{id}",
        "DELETE /v1/tokens/{id}",
        "GET /feeds/{file}",
        "GET /livez",
        "GET /metrics",
        "GET /readyz",
        "GET /s/{token}",
        "GET /v1/destinations",
        "GET /v1/events",
        "GET /v1/feed",
        "GET /v1/history",
        "GET /v1/history/{id}",
        "GET /v1/inboxes",
        "GET /v1/me",
        "GET /v1/me/export",
        "GET /v1/operations/avatars/{name}",
        "GET /v1/operations/checks",
        "GET /v1/operations/dead-letters",
        "GET /v1/operations/hosts",
        "GET /v1/operations/queues",
        "GET /v1/operations/record",
        "GET /v1/operations/shards",
        "GET /v1/operations/status",
        "GET /v1/operations/users/{name}/export",
        "GET /v1/opml",
        "GET /v1/publishers",
        "GET /v1/rules",
        "GET /v1/sessions",
        "GET /v1/subscriptions",
        "GET /v1/subscriptions/{id}",
        "GET /v1/tokens",
        "GET /websub/{source}/{mac}",
        "PATCH /v1/subscriptions/{id}",
        "POST /p/{token}",
        "POST /v1/destinations",
        "POST /v1/destinations/{id}/test",
        "POST /v1/destinations/{id}/verify",
        "POST /v1/feed/rotate",
        "POST /v1/history/{id}/ack",
        "POST /v1/history/{id}/read",
        "POST /v1/history/{id}/redeliver",
        "POST /v1/history/{id}/reply",
        "POST /v1/history/{id}/snooze",
        "POST /v1/inboxes",
        "POST /v1/operations/avatars/{name}/move",
        "POST /v1/operations/dead-letters/{id}/replay",
        "POST /v1/operations/hosts/{id}/drain",
        "POST /v1/operations/scale",
        "POST /v1/operations/users",
        "POST /v1/opml",
        "POST /v1/pages/{id}",
        "POST /v1/publishers",
        "POST /v1/publishers/{id}/share",
        "POST /v1/rules/simulate",
        "POST /v1/sessions",
        "POST /v1/subscriptions",
        "POST /v1/subscriptions/preview",
        "POST /v1/tokens",
        "POST /v1/users",
        "POST /websub/{source}/{mac}",
        "PUT /v1/rules",
      ].sort(),
    );
  });

  test("gives every operation an id of its own, a tag, a summary, its answers and its security", () => {
    const ids = new Set(operations().map(({ operation }) => operation.operationId));
    expect(ids.size).toBe(operations().length);
    for (const { path, method, operation } of operations()) {
      const where = `${method} ${path}`;
      expect(operation.tags, where).toHaveLength(1);
      expect(operation.summary, where).toBeTruthy();
      expect(JSON.stringify(operation.responses), where).not.toContain('Default Response"}');
      expect(operation.security?.length ?? 0, where).toBe(
        isOpen(path, method) ? 0 : isForOperators(path) ? 1 : 2,
      );
    }
  });

  test("shows an example of every body", () => {
    const bodies = operations().flatMap(
      ({ operation }) => operation.requestBody?.content["application/json"] ?? [],
    );
    expect(bodies).toHaveLength(18);
    for (const body of bodies) expect(JSON.stringify(body)).toMatch(/"examples?"/);
  });
});

test("a route without a schema keeps the process from starting", () => {
  expect(() => requireSchema({ method: "GET", url: "/v1/new" })).toThrow("GET /v1/new has no schema");
  expect(() => requireSchema({ method: "GET", url: "/v1/new", schema: {} })).not.toThrow();
});

describe("a request without a session", () => {
  test.each(["", "Bearer", "Bearer x", "Basic YWxpY2U6eA==", "Bearer tds_YWxpY2U_forged-secret"])(
    "with Authorization %j is 401 on every route that needs one",
    async (authorization) => {
      for (const { path, method } of operations().filter(
        (each) => !isOpen(each.path, each.method) && !isForOperators(each.path),
      )) {
        const payload = method === "GET" || method === "DELETE" ? {} : { payload: bodyFor(path) };
        const url = path.replace("{id}", "x".repeat(8));
        const answer = await theatre.app.inject({
          method: method as "GET",
          url,
          headers: { authorization },
          ...payload,
        });
        expect(answer.statusCode, `${method} ${path}`).toBe(401);
        expect(answer.headers["content-type"]).toContain("application/problem+json");
        expect(answer.headers["www-authenticate"]).toBe("Bearer");
      }
    },
  );
});

test("another user's things are not there: no id of theirs can be read, changed or ended (S18)", async () => {
  const others = await openTheatre();
  const alice = { authorization: `Bearer ${await others.signIn("alice")}` };
  const mallory = { authorization: `Bearer ${await others.signIn("mallory")}` };
  await others.app.inject({
    method: "POST",
    url: "/v1/subscriptions",
    headers: alice,
    payload: { url: FEED },
  });
  const destination = { channel: "im", address: "alice@example.org" };
  await others.app.inject({ method: "POST", url: "/v1/destinations", headers: alice, payload: destination });
  const owner = others.avatars.users.get("alice");
  owner?.history.push({ ...HISTORY_ITEM });
  const ids = [
    ...(owner?.subscriptions.keys() ?? []),
    ...(owner?.destinations.keys() ?? []),
    HISTORY_ITEM.id,
  ];
  expect(ids).toHaveLength(3);
  for (const { path, method, operation } of operations().filter((each) => each.path.includes("{id}"))) {
    for (const id of [...ids, "x", "..%2f..%2fme", "%00", "a b"]) {
      const payload = operation.requestBody === undefined ? {} : { payload: bodyFor(path) };
      const url = path.replace("{id}", id.replaceAll(" ", "%20"));
      const answer = await others.app.inject({ method: method as "GET", url, headers: mallory, ...payload });
      expect(answer.statusCode, `${method} ${url}`).toBe(404);
      expect(answer.json().status).toBe(404);
    }
  }
  expect(owner?.subscriptions.size).toBe(1);
  expect(owner?.destinations.size).toBe(1);
});

describe("a change with the cookie (S19)", () => {
  const change = (headers: Record<string, string>) =>
    theatre.app.inject({
      method: "POST",
      url: "/v1/subscriptions",
      headers: { host: "tidings.example", cookie: `tidings_session=${token}`, ...headers },
      payload: { url: FEED },
    });

  test.each([
    ["the page itself", { "sec-fetch-site": "same-origin" }, true],
    ["the address bar", { "sec-fetch-site": "none" }, true],
    ["the same origin, by an old browser", { origin: "http://tidings.example" }, true],
    ["another site", { "sec-fetch-site": "cross-site", origin: "http://evil.example" }, false],
    ["a subdomain", { "sec-fetch-site": "same-site", origin: "http://evil.tidings.example" }, false],
    ["another port", { origin: "http://tidings.example:81" }, false],
    ["a sandboxed frame", { origin: "null" }, false],
    ["nobody says where", {}, false],
  ])("from %s", async (_where, headers, isTaken) => {
    const { statusCode } = await change(headers);
    expect(statusCode).toBeGreaterThanOrEqual(isTaken ? 200 : 403);
    expect(statusCode).toBeLessThan(isTaken ? 300 : 404);
  });

  test("is no matter for a bearer token, nor for reading", async () => {
    const foreign = { "sec-fetch-site": "cross-site", origin: "http://evil.example" };
    expect((await change({ ...foreign, ...bearer })).statusCode).toBeLessThan(300);
    const headers = { ...foreign, cookie: `tidings_session=${token}` };
    expect((await theatre.app.inject({ url: "/v1/me", headers })).statusCode).toBe(200);
  });

  test("a page elsewhere can sign nobody in or up", async () => {
    for (const url of ["/v1/users", "/v1/sessions"]) {
      const payload = { name: "alice", password: PASSWORD };
      const headers = { "sec-fetch-site": "cross-site" };
      expect((await theatre.app.inject({ method: "POST", url, headers, payload })).statusCode).toBe(403);
    }
  });
});

describe("a body", () => {
  const send = (payload: string | Buffer, type: string | null = "application/json") =>
    theatre.app.inject({
      method: "POST",
      url: "/v1/subscriptions",
      headers: { ...bearer, ...(type === null ? {} : { "content-type": type }) },
      payload,
    });

  test.each([
    ["that is no JSON", "{", "application/json", 400],
    ["that is a form", "url=x", "application/x-www-form-urlencoded", 415],
    ["that is plain text", '{"url":"x"}', "text/plain", 415],
    ["of more than 1 MB", JSON.stringify({ url: "x".repeat(1_100_000) }), "application/json", 413],
    ["that is empty", "", "application/json", 422],
    ["that is null", "null", "application/json", 422],
    ["that is a list", "[]", "application/json", 422],
    ["10,000 levels deep", `${"[".repeat(10_000)}${"]".repeat(10_000)}`, "application/json", 422],
  ])("%s is refused as a problem", async (_what, payload, type, status) => {
    const answer = await send(payload, type);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers["content-type"]).toContain("application/problem+json");
    expect(answer.json()).toMatchObject({ type: "about:blank", status });
    expect(answer.json().detail).toMatch(/\.$/);
  });

  test.each(["__proto__", "constructor", "role", "isAdmin"])(
    "with the field %s changes nothing (S21)",
    async (field) => {
      const answer = await send(`{"url":"${FEED}","${field}":{"isAdmin":true}}`);
      expect(answer.statusCode).toBe(422);
      expect(answer.json().detail).toContain(field);
      expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
    },
  );
});

test.each(["/v1", "/v1/", "/v1/tokens", "/nowhere", "/v1/me/", "/v1/%zz"])("%s is a problem", async (url) => {
  const answer = await theatre.app.inject({ url, headers: bearer });
  expect([400, 404]).toContain(answer.statusCode);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
});

test("the process says that it lives, and what it needs to be ready", async () => {
  expect((await theatre.app.inject("/livez")).statusCode).toBe(200);
  const ready = await theatre.app.inject("/readyz");
  expect(ready.statusCode).toBe(200);
  expect(ready.json()).toEqual({ bus: true, queue: true, avatars: true });
  const queue = new MemoryBroker().connect();
  Object.defineProperty(queue, "isBlocked", { value: true });
  const blocked = await openTheatre({ queue });
  const answer = await blocked.app.inject("/readyz");
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ bus: true, queue: false, avatars: true });
});

test("the page is the same at all its addresses, and may run what comes from here alone", async () => {
  for (const url of ["/", "/stream/0123", "/sources", "/ways", "/rules", "/account"]) {
    const { headers, statusCode, body } = await theatre.app.inject(url);
    expect([url, statusCode]).toEqual([url, 200]);
    expect(body).toContain("<title>Tidings</title>");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
  }
});

test("every other answer forbids scripts, but for the reference page's own", async () => {
  for (const url of ["/v1/me", "/nowhere", "/openapi.json", "/livez"]) {
    const { headers } = await theatre.app.inject(url);
    expect(headers["content-security-policy"], url).toContain("default-src 'none'");
    expect(headers["content-security-policy"], url).not.toContain("script-src");
    expect(headers["x-content-type-options"], url).toBe("nosniff");
  }
  const page = await theatre.app.inject("/docs/");
  const policy = String(page.headers["content-security-policy"]);
  expect(page.statusCode).toBe(200);
  expect(policy).toMatch(/script-src 'self' 'sha256-[^']+';/);
  expect(policy).not.toMatch(/https?:/);
  expect(page.body).not.toMatch(/(src|href)="(https?:)?\/\//);
  const script = await theatre.app.inject("/docs/js/scalar.js");
  expect(script.statusCode).toBe(200);
  expect(script.body.length).toBeGreaterThan(100_000);
});

const HISTORY_ITEM: HistoryItem = {
  id: "0123456789abcdef0123456789abcdef",
  source: "rss.1",
  sourceTitle: "Rooms",
  title: "Two rooms",
  link: null,
  summary: null,
  author: null,
  publishedAt: null,
  receivedAt: 2_000,
  state: "handed",
  deliveries: [],
};

function bodyFor(path: string): object {
  if (path.endsWith("preview")) return { url: FEED };
  if (path.includes("rules")) return path.endsWith("simulate") ? { notification: { title: "Rooms" } } : {};
  if (path.includes("pages")) return { show: "available" };
  if (path.endsWith("reply")) return { option: "restart" };
  if (/publishers|inboxes|tokens/.test(path)) return { title: "db1" };
  if (path.endsWith("snooze")) return { for: "PT1H" };
  if (path.endsWith("verify")) return { code: "482913" };
  if (path.includes("destinations")) return { channel: "im", address: "alice@example.org" };
  return path.includes("{id}") ? { title: "Mine now" } : { url: FEED };
}
