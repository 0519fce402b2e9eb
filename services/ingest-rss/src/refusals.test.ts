import { expect, test } from "vitest";
import { Refusals } from "./refusals.ts";

test("the longer results are refused, the longer a job is kept, up to a minute; one that is taken ends that", () => {
  const refusals = new Refusals(() => 0.999999);
  expect(Array.from({ length: 6 }, () => refusals.next())).toEqual([
    5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
  ]);
  refusals.end();
  expect(refusals.next()).toBe(5_000);
});
