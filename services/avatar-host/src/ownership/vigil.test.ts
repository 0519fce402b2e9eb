import { expect, test, vi } from "vitest";
import { Vigil } from "./vigil.ts";

function at(monotonicMs: number, wallMs: number) {
  const now = { monotonicMs, wallMs };
  return { now, clocks: { monotonicMs: () => now.monotonicMs, wallMs: () => now.wallMs } };
}

test("a process that was stopped is not sure at its first look at the clock, and is again when somebody vouches", async () => {
  const { now, clocks } = at(0, 0);
  const vigil = new Vigil(clocks, 10_000);
  now.monotonicMs = now.wallMs = 9_999;
  expect(vigil.isSure).toBe(true);
  now.monotonicMs = now.wallMs = 60_000;
  expect(vigil.isSure).toBe(false);

  const onSure = vi.fn();
  const waiting = vigil.untilSure().then(onSure);
  const sent = vigil.now();
  now.monotonicMs = now.wallMs = 60_100;
  vigil.vouch(sent);
  await waiting;
  expect(onSure).toHaveBeenCalledOnce();
});

test("a heartbeat whose answer came too late vouches for nothing", () => {
  const { now, clocks } = at(0, 0);
  const vigil = new Vigil(clocks, 10_000);
  const sent = vigil.now();
  now.monotonicMs = now.wallMs = 30_000;
  vigil.vouch(sent);
  expect(vigil.isSure).toBe(false);
});

test("a machine that slept is noticed by the wall clock, and a clock that was set back changes nothing", () => {
  const { now, clocks } = at(0, 0);
  const vigil = new Vigil(clocks, 10_000);
  now.wallMs = -3_600_000;
  expect(vigil.isSure).toBe(true);
  now.wallMs = 3_600_000;
  expect(vigil.isSure).toBe(false);
});
