import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type KeepAlive, keepAlive } from "./keep-alive.ts";

let link: KeepAlive;
const ping = vi.fn();
const onSilence = vi.fn();
beforeEach(() => {
  vi.useFakeTimers();
  vi.resetAllMocks();
  link = keepAlive(ping, onSilence);
});
afterEach(() => {
  link.stop();
  vi.useRealTimers();
});

test("while the peer is heard nothing is sent", () => {
  for (let seconds = 0; seconds < 120; seconds += 5) {
    vi.advanceTimersByTime(5_000);
    link.heard();
  }
  expect(ping).not.toHaveBeenCalled();
});

test("a quiet peer is pinged once, and one that answers is left in peace", () => {
  vi.advanceTimersByTime(32_500);
  expect(ping).toHaveBeenCalledTimes(1);
  link.heard();
  vi.advanceTimersByTime(20_000);
  expect(onSilence).not.toHaveBeenCalled();
});

test("a peer that does not answer is given up after ten seconds, once", () => {
  vi.advanceTimersByTime(120_000);
  expect(ping).toHaveBeenCalledTimes(1);
  expect(onSilence).toHaveBeenCalledTimes(1);
});
