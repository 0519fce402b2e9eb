import { silentLog } from "@tidings/runtime";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HastyPreparations } from "./hasty-preparations.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("preparations that take too long hold nobody up, and one line tells of all of them", async () => {
  const log = silentLog();
  const info = vi.spyOn(log, "info");
  const warn = vi.spyOn(log, "warn");
  const hasty = new HastyPreparations(log, 2_000);
  const never = new Promise<void>(() => {});
  const all = Promise.all(
    [...Array.from({ length: 63 }, () => never), Promise.resolve()].map((one) => hasty.wait(one)),
  );

  await vi.advanceTimersByTimeAsync(2_000);
  await all;

  expect(info).toHaveBeenCalledExactlyOnceWith({ shards: 63, mostMs: 2_000 }, expect.any(String));
  expect(warn).not.toHaveBeenCalled();
  await hasty.wait(Promise.resolve());
  expect(info).toHaveBeenCalledTimes(1);
});
