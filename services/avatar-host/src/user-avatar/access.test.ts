import { addressesOf, type CallName, MOST_TOKENS } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openUserStage, type UserStage } from "./user-stage.ts";

const web = { fromDomain: addressesOf("d").web };
const DAY_MS = 24 * 3_600_000;

let stage: UserStage;
beforeEach(async () => {
  vi.useFakeTimers();
  stage = await openUserStage();
});
afterEach(() => void vi.useRealTimers());

async function makes(scopes: string[], untilAt: number | null = null) {
  const made = await stage.calls("addToken", { title: "dashboard", scopes, untilAt });
  return made as { secret: string; token: { id: string } };
}

function withToken(secret: string, name: CallName, args: Record<string, unknown> = {}): Promise<unknown> {
  return stage.alice.isCalled({ ...web, name, args, authority: { session: secret } });
}

test("a token does what its scopes say and nothing more, until it is removed", async () => {
  const { secret, token } = await makes(["read"]);
  expect(await withToken(secret, "profile")).toMatchObject({ name: "alice" });
  const forbidden = { type: "auth", condition: "forbidden" };
  await expect(withToken(secret, "resume")).rejects.toMatchObject(forbidden);
  await expect(withToken(secret, "acknowledge", { id: "x" })).rejects.toMatchObject(forbidden);
  await stage.calls("removeToken", { id: token.id });
  await expect(withToken(secret, "profile")).rejects.toMatchObject({ condition: "not-authorized" });
  await expect(stage.calls("removeToken", { id: token.id })).rejects.toMatchObject({
    condition: "item-not-found",
  });
});

test("one that acts acts, one that writes changes, and none sees or makes tokens, sessions or an end", async () => {
  const acts = await makes(["act"]);
  await expect(withToken(acts.secret, "acknowledge", { id: "x" })).rejects.toMatchObject({
    condition: "item-not-found",
  });
  await expect(withToken(acts.secret, "profile")).rejects.toMatchObject({ condition: "forbidden" });
  const all = await makes(["read", "act", "write"]);
  expect(await withToken(all.secret, "resume")).toMatchObject({ pausedUntilAt: null });
  for (const name of ["tokens", "sessions", "erase"] as const)
    await expect(withToken(all.secret, name)).rejects.toThrow("sign in with the password");
  const more = { title: "more", scopes: ["write"], untilAt: null };
  await expect(withToken(all.secret, "addToken", more)).rejects.toMatchObject({ condition: "forbidden" });
});

test("a token ends at its time, which lies ahead, also when the avatar has slept", async () => {
  const { secret } = await makes(["read"], stage.alice.nowAt + DAY_MS);
  stage.alice.fallsAsleep();
  expect(await withToken(secret, "profile")).toMatchObject({ name: "alice" });
  stage.alice.nowAt += DAY_MS;
  await expect(withToken(secret, "profile")).rejects.toMatchObject({ condition: "not-authorized" });
  await expect(makes(["read"], stage.alice.nowAt)).rejects.toThrow("in the future");
});

test("the secret of a token is told once, is not exported, and there is an end to how many there are", async () => {
  const { secret } = await makes(["read"]);
  for (let n = 1; n < MOST_TOKENS; n++) await makes(["read"]);
  await expect(makes(["read"])).rejects.toThrow(`You have ${MOST_TOKENS} tokens`);
  const { items } = (await stage.calls("tokens")) as { items: { id: string }[] };
  expect(items).toHaveLength(MOST_TOKENS);
  const told = JSON.stringify([items, await stage.calls("exportAll", { cursor: null })]);
  expect(told).not.toContain(secret);
  expect(told).not.toContain("token/");
});

test("a token that is asked for again with its operation id is the same one", async () => {
  const args = { title: "dashboard", scopes: ["read"], untilAt: null };
  const first = await stage.calls("addToken", args, "operation-token");
  expect(await stage.calls("addToken", args, "operation-token")).toEqual(first);
  expect(await stage.calls("tokens")).toMatchObject({ items: [{ title: "dashboard" }] });
});

test("sessions whose time is over leave no row behind when the next one is opened", async () => {
  for (let n = 0; n < 3; n++)
    await stage.alice.isCalled({ ...web, name: "openSession", args: { label: "old" } });
  stage.alice.nowAt += 31 * DAY_MS;
  await stage.alice.isCalled({ ...web, name: "openSession", args: { label: "new" } });
  expect(stage.alice.rows.list("alice", { from: "session/", to: "session/~" })).toHaveLength(1);
});

test("sessions are listed, the one that asks is marked, and any can be ended", async () => {
  stage.alice.nowAt += 1_000;
  const phone = (await stage.alice.isCalled({ ...web, name: "openSession", args: { label: "phone" } })) as {
    session: string;
  };
  const { items } = (await stage.calls("sessions")) as { items: { id: string; isCurrent: boolean }[] };
  expect(items).toMatchObject([
    { label: "phone", isCurrent: false },
    { label: "", isCurrent: true },
  ]);
  await stage.calls("endSession", { id: items[0]?.id });
  await expect(withToken(phone.session, "profile")).rejects.toMatchObject({ condition: "not-authorized" });
  await expect(stage.calls("endSession", { id: "none" })).rejects.toMatchObject({
    condition: "item-not-found",
  });
});
