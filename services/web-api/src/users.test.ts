import { CallError } from "@tidings/protocol";
import { expect, test } from "vitest";
import { openTheatre, PASSWORD } from "./theatre.ts";

const signUp = (payload: object, headers = {}) =>
  ({ method: "POST", url: "/v1/users", payload, headers }) as const;
const alice = { name: "alice", password: PASSWORD };

test("a sign-up makes the account and the avatar", async () => {
  const { app, avatars, accounts } = await openTheatre();
  const answer = await app.inject(signUp(alice));
  expect(answer.statusCode).toBe(201);
  expect(answer.json()).toEqual({
    name: "alice",
    jid: "alice@tidings.test",
    agent: "alice@im.agents.tidings.test",
    inbox: "k3xq7ynd2mzt5w6rjv4h@in.tidings.test",
  });
  expect(accounts.passwords.get("alice")).toBe(PASSWORD);
  expect(avatars.users.get("alice")?.state).toBe("there");
});

test("a name that is taken stays its owner's", async () => {
  const { app, accounts } = await openTheatre();
  await app.inject(signUp(alice));
  const answer = await app.inject(signUp({ ...alice, password: "another password" }));
  expect(answer.statusCode).toBe(409);
  expect(answer.headers["content-type"]).toContain("application/problem+json");
  expect(answer.json()).toMatchObject({
    status: 409,
    title: "Conflict",
    detail: "The name alice is taken; choose another.",
  });
  expect(accounts.passwords.get("alice")).toBe(PASSWORD);
});

test("a sign-up that was cut off goes on for whoever knows the password, and for nobody else", async () => {
  const { app, avatars } = await openTheatre();
  avatars.refusals.set("finishSignUp", new CallError("cancel", "internal-server-error", "cut off"));
  expect((await app.inject(signUp(alice))).statusCode).toBe(503);
  avatars.refusals.clear();

  expect((await app.inject(signUp({ ...alice, password: "another password" }))).statusCode).toBe(409);
  expect(avatars.users.get("alice")?.state).toBe("creating");
  expect((await app.inject(signUp(alice))).statusCode).toBe(201);
});

test("a repeated sign-up with the same idempotency key gets the same answer", async () => {
  const { app, avatars } = await openTheatre();
  const headers = { "idempotency-key": "one-sign-up" };
  const first = await app.inject(signUp(alice, headers));
  const second = await app.inject(signUp(alice, headers));
  expect(second.statusCode).toBe(201);
  expect(second.json()).toEqual(first.json());
  const ops = avatars.asked.map(({ name, op }) => `${name} ${op}`);
  expect(new Set(ops).size).toBe(2);
});

test.each([
  ["a capital letter", { ...alice, name: "Alice" }, /lower case/],
  ["a dot", { ...alice, name: "a.lice" }, /dot/],
  ["a reserved name", { ...alice, name: "admin" }, /reserved/],
  ["a short password", { ...alice, password: "short" }, /8 to 256/],
  ["a field that nobody knows", { ...alice, role: "operator" }, /role/],
  ["no password", { name: "alice" }, /password/],
  ["a number as name", { ...alice, name: 7 }, /string/],
])("a sign-up with %s is refused with a sentence", async (_what, payload, sentence) => {
  const { app, avatars } = await openTheatre();
  const answer = await app.inject(signUp(payload));
  expect(answer.statusCode).toBe(422);
  expect(answer.json().detail).toMatch(sentence);
  expect(avatars.users.size).toBe(0);
});

test("one client address signs up no more often than the setting says", async () => {
  const { app } = await openTheatre({ signUpsPerMinute: 1 });
  await app.inject(signUp(alice));
  const answer = await app.inject(signUp({ ...alice, name: "bob" }));
  expect(answer.statusCode).toBe(429);
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
});
