import { expect, test } from "vitest";
import { eventually } from "./eventually.ts";

test("the first answer without an error is the answer", async () => {
  let looks = 0;
  const seen = await eventually(() => {
    looks += 1;
    if (looks < 3) throw new Error("not yet");
    return looks;
  });
  expect(seen).toBe(3);
});

test("when the time is up the last error says what was missing", async () => {
  let looks = 0;
  const look = () => {
    looks += 1;
    throw new Error(`look ${looks}`);
  };
  await expect(eventually(look, { withinMs: 30 })).rejects.toThrow(/^look [2-9]/);
});
