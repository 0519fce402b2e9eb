import { CallError } from "@tidings/protocol";
import { beforeEach, expect, test } from "vitest";
import { openTheatre, PASSWORD, type Theatre } from "./theatre.ts";

let theatre: Theatre;
let headers: Record<string, string>;

beforeEach(async () => {
  theatre = await openTheatre();
  headers = { authorization: `Bearer ${await theatre.signIn("alice")}` };
});

const get = (url: string) => theatre.app.inject({ method: "GET", url, headers });
const argumentsOf = (name: string) => theatre.avatars.asked.findLast((call) => call.name === name)?.args;

function remember(id: string, publishedAt: number | null = null): void {
  theatre.avatars.users.get("alice")?.history.push({
    id,
    source: "rss.1",
    sourceTitle: "Rooms",
    title: "Two rooms, quiet street",
    link: "https://feeds.example/1",
    summary: null,
    author: "Bob",
    publishedAt,
    receivedAt: 2_000,
    state: "handed",
    deliveries: [{ destination: "d1", channel: "im", state: "handed", at: 3_000, reason: "you were online" }],
  });
}

test("the profile says who one is and how one is seen, with times in RFC 3339", async () => {
  expect((await get("/v1/me")).json()).toEqual({
    name: "alice",
    jid: "alice@tidings.test",
    inbox: "k3xq7ynd2mzt5w6rjv4h@in.tidings.test",
    agent: "alice@im.agents.tidings.test",
    createdAt: "1970-01-01T00:00:01.000Z",
    pausedUntil: null,
    presence: [
      {
        address: "alice@tidings.test",
        resource: "phone",
        show: "away",
        priority: 5,
        idleSince: "1970-01-01T00:01:00.000Z",
      },
    ],
    limits: { subscriptions: 200, destinations: 20 },
  });
});

test("the export is one JSON file made of all pages", async () => {
  const answer = await get("/v1/me/export");
  expect(answer.headers["content-disposition"]).toBe('attachment; filename="tidings-alice.json"');
  expect(answer.headers["content-type"]).toContain("application/json");
  expect(answer.json()).toMatchObject({
    name: "alice",
    rows: [
      { key: "profile", value: { name: "alice" } },
      { key: "history/1", value: "…" },
    ],
  });
});

test("erasing ends the data, the account and the session", async () => {
  const answer = await theatre.app.inject({ method: "DELETE", url: "/v1/me", headers });
  expect(answer.statusCode).toBe(204);
  expect(answer.body).toBe("");
  expect(theatre.avatars.users.has("alice")).toBe(false);
  expect(theatre.accounts.passwords.has("alice")).toBe(false);
  expect((await get("/v1/me")).statusCode).toBe(401);
});

test("an account whose data is gone is told to its owner alone, with the way out", async () => {
  theatre.avatars.users.delete("alice");
  const login = (password: string) =>
    theatre.app.inject({ method: "POST", url: "/v1/sessions", payload: { name: "alice", password } });
  expect((await login(PASSWORD)).json().detail).toMatch(/sign up again/);
  expect((await login("a wrong password")).json().detail).toBe("The name or the password is wrong.");
});

test("a history item has exactly the fields of the interface", async () => {
  remember("aa", 1e18);
  const answer = await get("/v1/history");
  expect(answer.json()).toEqual({
    items: [
      {
        id: "aa",
        source: "rss.1",
        sourceTitle: "Rooms",
        title: "Two rooms, quiet street",
        link: "https://feeds.example/1",
        summary: null,
        author: "Bob",
        publishedAt: null,
        receivedAt: "1970-01-01T00:00:02.000Z",
        state: "handed",
        deliveries: [
          {
            destination: "d1",
            channel: "im",
            state: "handed",
            at: "1970-01-01T00:00:03.000Z",
            reason: "you were online",
          },
        ],
      },
    ],
    next: "next-page",
  });
});

test("a history item alone has its trace", async () => {
  remember("aa");
  expect((await get("/v1/history/aa")).json()).toMatchObject({
    id: "aa",
    trace: [
      { at: "1970-01-01T00:00:05.000Z", destination: "d1", state: "handed", what: "handed to the server" },
    ],
  });
});

test("the history is asked for 50 from the start, or as the query says", async () => {
  await get("/v1/history");
  expect(argumentsOf("history")).toEqual({ limit: 50, cursor: null, source: null, q: null, state: null });
  const answer = await get(
    "/v1/history?limit=7&cursor=next-page&source=rss.1&q=quiet%20street%EF%BF%BF&state=acked",
  );
  expect(answer.json().next).toBeNull();
  const asked = { limit: 7, cursor: "next-page", source: "rss.1", q: "quiet street", state: "acked" };
  expect(argumentsOf("history")).toEqual(asked);
});

test.each([
  "limit=0",
  "limit=201",
  "limit=x",
  "limit=",
  "limit=1.5",
  "limit=1&limit=2",
  "state=lost",
  "colour=red",
  `q=${"x".repeat(201)}`,
])("a history query with %s is refused", async (query) => {
  const answer = await get(`/v1/history?${query}`);
  expect(answer.statusCode).toBe(422);
  expect(argumentsOf("history")).toBeUndefined();
});

test("a notification is acknowledged, put off and had again, and nonsense is refused with what to send", async () => {
  remember("aa");
  const post = (act: string, payload?: object) =>
    theatre.app.inject({
      method: "POST",
      url: `/v1/history/aa/${act}`,
      headers,
      ...(payload && { payload }),
    });
  expect((await post("read")).json().state).toBe("read");
  const acked = await post("ack");
  expect([acked.statusCode, acked.json().state, acked.json().trace]).toEqual([200, "acked", []]);
  expect((await post("snooze", { for: "PT1H" })).json().state).toBe("snoozed");
  expect(argumentsOf("snooze")).toEqual({ id: "aa", forMs: 3_600_000 });
  expect((await post("redeliver")).statusCode).toBe(200);
  for (const wrong of ["", "1h", "PT10S", "P31D", "-PT1H"]) {
    const answer = await post("snooze", { for: wrong });
    expect([answer.statusCode, answer.json().detail], wrong).toEqual([
      422,
      expect.stringContaining("PT1M to P30D"),
    ]);
  }
});

test("a destination is added with its code and how to use it, listed and removed", async () => {
  const payload = { channel: "im", address: "Alice@Example.ORG" };
  const answer = await theatre.app.inject({ method: "POST", url: "/v1/destinations", headers, payload });
  expect(answer.statusCode).toBe(201);
  expect(answer.json()).toEqual({
    id: "d1",
    channel: "im",
    address: "alice@example.org",
    state: "unverified",
    code: "482913",
    codeUntil: "1970-01-01T00:10:00.000Z",
    problem: null,
    howTo: "Add alice@im.agents.tidings.test as a contact from this address and send it the code.",
  });
  expect((await get("/v1/destinations")).json()).toEqual({ items: [answer.json()], next: null });
  const removal = { method: "DELETE", url: "/v1/destinations/d1", headers } as const;
  expect((await theatre.app.inject(removal)).statusCode).toBe(204);
  expect((await theatre.app.inject(removal)).statusCode).toBe(404);
});

test("a number is added without its code in sight, proven by it, and tested", async () => {
  const post = (url: string, payload?: object) =>
    theatre.app.inject({ method: "POST", url, headers, ...(payload && { payload }) });
  const added = await post("/v1/destinations", { channel: "sms", address: "+1 555 0100-199" });
  expect(added.statusCode).toBe(201);
  expect(added.json()).toMatchObject({ address: "+15550100199", code: null, howTo: /enter it here/ });
  const wrong = await post("/v1/destinations/d1/verify", { code: "000000" });
  expect([wrong.statusCode, wrong.json().detail]).toEqual([422, "This code is wrong or out of date."]);
  const right = await post("/v1/destinations/d1/verify", { code: "482913" });
  expect(right.json()).toMatchObject({ state: "verified", howTo: null });
  expect((await post("/v1/destinations/d1/test")).statusCode).toBe(202);
  expect((await post("/v1/destinations/d9/test")).statusCode).toBe(404);
});

test.each([
  [
    "a channel of a later release",
    { channel: "web", address: "https://example.org" },
    /web is not part of this release/,
  ],
  ["a channel that there is not", { channel: "pigeon", address: "x" }, /channel/],
  ["an address that is none", { channel: "im", address: "alice" }, /name@example\.org/],
])("%s is refused as a destination", async (_what, payload, sentence) => {
  const answer = await theatre.app.inject({ method: "POST", url: "/v1/destinations", headers, payload });
  expect(answer.statusCode).toBe(422);
  expect(answer.json().detail).toMatch(sentence);
});

test.each([
  ["cancel", "item-not-found", 404],
  ["cancel", "conflict", 409],
  ["auth", "not-authorized", 401],
  ["auth", "forbidden", 403],
  ["modify", "bad-request", 422],
  ["modify", "not-acceptable", 422],
  ["cancel", "resource-constraint", 422],
  ["cancel", "policy-violation", 429],
  ["cancel", "remote-server-not-found", 503],
  ["cancel", "internal-server-error", 503],
] as const)("an avatar's refusal %s %s is %i", async (type, condition, status) => {
  theatre.avatars.refusals.set("profile", new CallError(type, condition, "A sentence from the avatar."));
  const answer = await get("/v1/me");
  expect(answer.statusCode).toBe(status);
  expect(answer.json().status).toBe(status);
  expect(answer.headers["retry-after"]).toBe(status === 503 ? "2" : status === 429 ? "60" : undefined);
});
