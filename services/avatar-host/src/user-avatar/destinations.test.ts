import { USER_LIMITS } from "@tidings/protocol";
import { expect, test } from "vitest";
import { type Place, tryCode, withAddress, withoutDestination } from "./destinations.ts";
import type { CoreRow } from "./rows.ts";

const NOBODY: CoreRow = {
  state: "active",
  createdAt: 0,
  pausedUntilAt: null,
  destinations: [],
  receiptsFrom: [],
};
const im = (address: string): Place => ({ channel: "im", address });
const MINUTES = 60_000;

function withCode(): { core: CoreRow; code: string } {
  const { core, row } = withAddress(NOBODY, im("alice@x"), 0);
  return { core, code: row.code ?? "" };
}

/** A code of the same form that is not `code`. */
const otherThan = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

test("the right code from the right address, in time, verifies it", () => {
  const { core, code } = withCode();
  expect(code).toMatch(/^\d{6}$/);
  expect(tryCode(core, { address: "mallory@x" }, code, 0).verified).toBeNull();
  expect(tryCode(core, { address: "alice@x" }, code, 10 * MINUTES + 1).verified).toBeNull();
  expect(tryCode(core, { address: "alice@x" }, ` ${code}\n`, 10 * MINUTES).verified).toMatchObject({
    state: "verified",
    code: null,
  });
});

test("after five wrong codes the right one does not count either", () => {
  const { core, code } = withCode();
  let tried = core;
  for (let n = 0; n < 4; n++) tried = tryCode(tried, { address: "alice@x" }, otherThan(code), 0).core;
  expect(tryCode(tried, { address: "alice@x" }, code, 0).verified).not.toBeNull();
  tried = tryCode(tried, { address: "alice@x" }, otherThan(code), 0).core;
  expect(tryCode(tried, { address: "alice@x" }, code, 0).verified).toBeNull();
});

test.each(["", "12345", "1234567", "12345é", "🏡🏡🏡", "x".repeat(40)])(
  "the code %j is wrong and uses up a try",
  (wrong) => {
    const { core } = withCode();
    const { core: after, verified } = tryCode(core, { address: "alice@x" }, wrong, 0);
    expect(verified).toBeNull();
    expect(after.destinations[0]?.triesLeft).toBe(4);
  },
);

test("adding an address again gives a fresh code, and nothing for one that is verified", () => {
  const { core, code } = withCode();
  const again = withAddress(core, im("alice@x"), MINUTES);
  expect(again.created).toBe(false);
  expect(again.core.destinations).toHaveLength(1);
  expect(again.row.codeUntilAt).toBe(11 * MINUTES);
  const verified = tryCode(core, { address: "alice@x" }, code, 0).core;
  expect(withAddress(verified, im("alice@x"), 0).core).toBe(verified);
});

test("addresses are bounded", () => {
  let core = NOBODY;
  for (let n = 0; n < USER_LIMITS.destinations; n++) core = withAddress(core, im(`a${n}@x`), 0).core;
  expect(() => withAddress(core, im("one@more"), 0)).toThrow(/limit/);
});

test("the own account cannot be removed, nor what is not there", () => {
  const { core, row } = withAddress(NOBODY, im("alice@x"), 0);
  expect(withoutDestination(core, row.id).destinations).toEqual([]);
  expect(() => withoutDestination(core, "nothing")).toThrow(/no such/);
  const own: CoreRow = { ...core, destinations: [{ ...row, id: "im" }] };
  expect(() => withoutDestination(own, "im")).toThrow(/stays/);
});

test("who removes an address and adds it again cannot have codes without end sent to it", () => {
  const place = { channel: "email", address: "somebody@example.org" } as const;
  let core = NOBODY;
  const add = (nowAt: number) => {
    const added = withAddress(core, place, nowAt);
    core = withoutDestination(added.core, added.row.id);
  };
  for (let n = 0; n < 10; n++) add(n);
  expect(() => add(10)).toThrow(/within the hour/);
  expect(() => add(60 * MINUTES)).not.toThrow();
});
