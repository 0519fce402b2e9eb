import { expect, test } from "vitest";
import { Turnstile } from "./turnstile.ts";

test("so many run at a time, in order, and one that fails gives its place on", async () => {
  const turnstile = new Turnstile(2);
  const begun: number[] = [];
  const ends = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const all = ends.map(({ promise }, at) =>
    turnstile.pass(() => {
      begun.push(at);
      return promise;
    }),
  );
  const settled = Promise.allSettled(all);
  expect(begun).toEqual([0, 1]);
  ends[1]?.reject(new Error("broken"));
  await expect(all[1]).rejects.toThrow("broken");
  expect(begun).toEqual([0, 1, 2]);
  for (const { resolve } of ends) resolve();
  await settled;
  expect(begun).toEqual([0, 1, 2, 3]);
  expect(await turnstile.pass(async () => "free")).toBe("free");
});
