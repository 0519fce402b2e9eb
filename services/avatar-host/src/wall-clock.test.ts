import { silentLog } from "@tidings/runtime";
import { expect, test, vi } from "vitest";
import { WallClock } from "./wall-clock.ts";

test.each([3_600_000, -3_600_000])("a wall clock that is set by %i ms is said once", (jumpMs) => {
  const log = silentLog();
  const warn = vi.spyOn(log, "warn");
  let [wall, monotonic] = [1_800_000_000_000, 5];
  const clock = new WallClock({ wallMs: () => wall, monotonicMs: () => monotonic }, log);
  const passes = (ms: number) => {
    wall += ms;
    monotonic += ms;
    clock.look();
  };
  passes(10_000);
  expect(warn).not.toHaveBeenCalled();
  wall += jumpMs;
  passes(10_000);
  passes(10_000);
  expect(warn).toHaveBeenCalledExactlyOnceWith({ byMs: jumpMs }, expect.any(String));
});
