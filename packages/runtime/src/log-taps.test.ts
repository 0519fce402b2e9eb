import { expect, test } from "vitest";
import { LogTaps } from "./log-taps.ts";

test("the log gives what the one who wants most wants, and each hears from their level on", () => {
  const taps = new LogTaps();
  const levels: (string | null)[] = [];
  taps.serve((lowest) => levels.push(lowest));
  const [all, few]: [string[], string[]] = [[], []];
  const closeFew = taps.open("warn", (line) => few.push(line));
  const closeAll = taps.open("debug", (line) => all.push(line));
  taps.tell(20, "a step");
  taps.tell(50, "a fault");
  closeAll();
  taps.tell(50, "another");
  closeFew();
  taps.tell(50, "a third");
  expect(all).toEqual(["a step", "a fault"]);
  expect(few).toEqual(["a fault", "another"]);
  expect(levels).toEqual(["warn", "debug", "warn", null]);
});
