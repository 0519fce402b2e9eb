import { DEFAULT_RULES, RULE_LIMITS } from "@tidings/protocol";
import { beforeEach, expect, test } from "vitest";
import { openTheatre, type Theatre } from "./theatre.ts";

let theatre: Theatre;
let headers: Record<string, string>;

beforeEach(async () => {
  theatre = await openTheatre();
  headers = { authorization: `Bearer ${await theatre.signIn("alice")}` };
});

const read = () => theatre.app.inject({ method: "GET", url: "/v1/rules", headers });
const put = (payload: object, more: Record<string, string> = {}) =>
  theatre.app.inject({ method: "PUT", url: "/v1/rules", headers: { ...headers, ...more }, payload });
const simulate = (payload: object) =>
  theatre.app.inject({ method: "POST", url: "/v1/rules/simulate", headers, payload });
const asked = (name: string) => theatre.avatars.asked.findLast((call) => call.name === name)?.args;

test("rules are there before anybody has put any, and what is put comes back whole with a new ETag", async () => {
  const before = await read();
  expect(before.json()).toEqual(DEFAULT_RULES);
  expect(before.headers.etag).toBe('"0"');
  const after = await put({ zone: "Europe/Berlin" });
  expect(after.statusCode).toBe(200);
  expect(after.headers.etag).toBe('"1"');
  expect((await read()).json()).toEqual({ ...DEFAULT_RULES, zone: "Europe/Berlin" });
});

test("a document that was read before another change is not taken, and the present one stays", async () => {
  const tag = String((await read()).headers.etag);
  expect((await put({ zone: "Europe/Berlin" }, { "if-match": tag })).statusCode).toBe(200);
  for (const stale of [tag, '"7"', 'W/"1"', '"1", "2"', "1"]) {
    const answer = await put({ zone: "Asia/Tokyo" }, { "if-match": stale });
    expect(answer.statusCode, stale).toBe(412);
    expect(answer.json().detail).toMatch(/read them again/);
  }
  expect((await read()).json().zone).toBe("Europe/Berlin");
  expect((await put({}, { "if-match": "*" })).statusCode).toBe(200);
});

test("what is wrong is told with its place and what to do, each thing by itself", async () => {
  const answer = await put({ zone: "Mars/Base", quietHours: [{ from: "22:00", to: "22:00" }] });
  expect(answer.statusCode).toBe(422);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  expect(answer.json().detail).toMatch(/^\/zone: There is no such time zone.* \(and 1 more, see errors\)$/);
  expect(answer.json().errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
    "/zone",
    "/quietHours/0/to",
  ]);
  expect((await read()).headers.etag).toBe('"0"');
});

test.each(["[1]", "7", "null", ""])("%j is no document, and refused with a sentence", async (payload) => {
  const answer = await theatre.app.inject({
    method: "PUT",
    url: "/v1/rules",
    headers: { ...headers, "content-type": "application/json" },
    payload,
  });
  expect(answer.statusCode).toBe(422);
  expect(answer.json().detail).toMatch(/[a-z]\.$/);
});

test("a document that is too large is refused, on either side of what the door takes", async () => {
  const of = (chars: number) => ({ zone: "x".repeat(chars) });
  expect((await put(of(RULE_LIMITS.documentBytes))).json().detail).toMatch(/65536 bytes at most/);
  expect((await put(of(3 * RULE_LIMITS.documentBytes))).statusCode).toBe(413);
});

test("a simulation asks with times in milliseconds, and answers with words, sentences and times in RFC 3339", async () => {
  const answer = await simulate({
    notification: { title: "Disk full", priority: 5 },
    presence: { show: "away", idleSince: "2026-03-01T08:00:00Z" },
    at: "2026-03-01T23:10:00+01:00",
  });
  expect(answer.json()).toEqual({
    at: "1970-01-01T00:00:01.000Z",
    priority: "high",
    rule: "fire",
    decisions: [
      {
        destination: "im",
        channel: "im",
        action: "hold",
        until: "1970-01-01T00:00:02.000Z",
        because: "quiet",
        reason: "quiet hours",
      },
    ],
  });
  expect(asked("simulate")).toEqual({
    historyId: null,
    notification: { title: "Disk full", priority: "urgent" },
    presence: [{ show: "away", idleSinceAt: Date.UTC(2026, 2, 1, 8) }],
    at: Date.UTC(2026, 2, 1, 22, 10),
  });
});

test.each([
  ["a time that is none", { notification: { title: "x" }, at: "tomorrow" }],
  ["a presence that there is not", { notification: { title: "x" }, presence: { show: "asleep" } }],
  ["a field that nobody knows", { notification: { title: "x", colour: "red" } }],
])("a simulation with %s is refused", async (_what, payload) => {
  expect((await simulate(payload)).statusCode).toBe(422);
  expect(asked("simulate")).toBeUndefined();
});
