import { expect, test } from "vitest";
import { callerOf, tokenOf } from "./session.ts";
import { openTheatre, PASSWORD, type Theatre } from "./theatre.ts";

const login = (name: string, password: string, headers = {}) =>
  ({ method: "POST", url: "/v1/sessions", payload: { name, password }, headers }) as const;

function me({ app }: Theatre, headers: Record<string, string>) {
  return app.inject({ method: "GET", url: "/v1/me", headers });
}

test("a sign-in answers with a token and the same token as a cookie", async () => {
  const theatre = await openTheatre();
  await theatre.signIn("alice");
  const answer = await theatre.app.inject(login("alice", PASSWORD));
  expect(answer.statusCode).toBe(201);
  const { token } = answer.json();
  const cookie = String(answer.headers["set-cookie"]);
  expect(cookie).toContain(`tidings_session=${token}`);
  expect(cookie).toMatch(/HttpOnly/);
  expect(cookie).toMatch(/SameSite=Lax/);
  expect(cookie).toMatch(/Path=\//);
  expect(cookie).not.toMatch(/Secure/);
  expect((await me(theatre, { authorization: `Bearer ${token}` })).statusCode).toBe(200);
  expect((await me(theatre, { cookie: `tidings_session=${token}` })).statusCode).toBe(200);
});

test("each sign-in has a secret of its own, and signing out ends only that one", async () => {
  const theatre = await openTheatre();
  const first = await theatre.signIn("alice");
  const second = (await theatre.app.inject(login("alice", PASSWORD))).json().token;
  expect(second).not.toBe(first);
  const headers = { authorization: `Bearer ${first}` };
  const answer = await theatre.app.inject({ method: "DELETE", url: "/v1/sessions/current", headers });
  expect(answer.statusCode).toBe(204);
  expect((await me(theatre, headers)).statusCode).toBe(401);
  expect((await me(theatre, { authorization: `Bearer ${second}` })).statusCode).toBe(200);
});

test("the cookie is Secure behind a trusted proxy that speaks https, and only there", async () => {
  const headers = { "x-forwarded-proto": "https" };
  const trusting = await openTheatre({ trustedProxies: ["127.0.0.1"] });
  await trusting.signIn("alice");
  expect(
    String((await trusting.app.inject(login("alice", PASSWORD, headers))).headers["set-cookie"]),
  ).toMatch(/Secure/);
  const plain = await openTheatre();
  await plain.signIn("alice");
  expect(
    String((await plain.app.inject(login("alice", PASSWORD, headers))).headers["set-cookie"]),
  ).not.toMatch(/Secure/);
});

test.each([
  ["a wrong password", "alice", "a wrong password"],
  ["an unknown name", "nobody", PASSWORD],
  ["a malformed name", "Ali ce@x", PASSWORD],
  ["an empty password", "alice", ""],
])("%s is 401 with one and the same answer, after one and the same time", async (_what, name, password) => {
  const theatre = await openTheatre();
  await theatre.signIn("alice");
  const startedMs = performance.now();
  const answer = await theatre.app.inject(login(name, password));
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(245);
  expect(answer.statusCode).toBe(401);
  expect(answer.json().detail).toBe("The name or the password is wrong.");
  expect(answer.headers["set-cookie"]).toBeUndefined();
});

test("guessing is stopped after ten tries a minute, also when they come at once, and others may still sign in", async () => {
  const theatre = await openTheatre();
  await theatre.signIn("alice");
  await theatre.signIn("bob");
  const tries = await Promise.all(
    Array.from({ length: 14 }, (_, n) => theatre.app.inject(login("alice", `guess ${n}`))),
  );
  const statuses = tries.map(({ statusCode }) => statusCode);
  expect(statuses.filter((status) => status === 401)).toHaveLength(10);
  expect(statuses.filter((status) => status === 429)).toHaveLength(4);
  const late = await theatre.app.inject(login("alice", PASSWORD));
  expect(late.statusCode).toBe(429);
  expect(Number(late.headers["retry-after"])).toBeGreaterThan(0);
  expect((await theatre.app.inject(login("bob", PASSWORD))).statusCode).toBe(201);
});

test("fifty failures a minute close a client's way to every name", async () => {
  const theatre = await openTheatre();
  await theatre.signIn("alice");
  await Promise.all(Array.from({ length: 50 }, (_, n) => theatre.app.inject(login(`guess${n}`, PASSWORD))));
  expect((await theatre.app.inject(login("alice", PASSWORD))).statusCode).toBe(429);
});

test("signing in often with the right password is no guessing", async () => {
  const theatre = await openTheatre();
  await theatre.signIn("alice");
  for (let n = 0; n < 12; n += 1)
    expect((await theatre.app.inject(login("alice", PASSWORD))).statusCode).toBe(201);
});

test("a password that cannot be checked is 503 and no failure of the client", async () => {
  const broken = () => Promise.reject(new Error("no server"));
  const theatre = await openTheatre({ checkPassword: broken });
  for (let n = 0; n < 11; n += 1) {
    const answer = await theatre.app.inject(login("alice", PASSWORD));
    expect(answer.statusCode).toBe(503);
    expect(answer.headers["retry-after"]).toBe("2");
  }
});

test("a token gives its user and secret back, and nothing else is taken for one", () => {
  const caller = { name: "a-9z", session: "abc_DEF-123" };
  expect(callerOf(tokenOf(caller))).toEqual(caller);
  const encoded = (name: string) => Buffer.from(name).toString("base64url");
  for (const token of [
    "",
    "tds_",
    "tds__secretsecret",
    `tds_${encoded("a/b")}_secretsecret`,
    `tds_${encoded("Bob")}_secretsecret`,
    `tds_${encoded("bob")}_short`,
  ]) {
    expect(callerOf(token)).toBeNull();
  }
});
