import { Background } from "@tidings/runtime";
import { expect, test } from "vitest";
import { FramePace } from "./frame-pace.ts";

const round = () => new Promise((resolve) => setImmediate(resolve));

test("a frame to few is applied before those to many that came earlier on other streams", async () => {
  const background = new Background();
  const pace = new FramePace(background);
  const applied: string[] = [];
  pace.take(1, 200, () => applied.push("many"));
  pace.take(1, 200, () => applied.push("many again"));
  pace.take(2, 1, () => applied.push("few"));
  expect(applied).toEqual(["few"]);
  await round();
  expect(applied).toEqual(["few", "many"]);
  await round();
  expect(applied).toEqual(["few", "many", "many again"]);
});

test("the frames of one stream are applied in their order, whatever their size", async () => {
  const background = new Background();
  const pace = new FramePace(background);
  const applied: number[] = [];
  for (const [seq, recipients] of [200, 1, 200, 1].entries())
    pace.take(1, recipients, () => applied.push(seq));
  while (background.waiting > 0) await round();
  expect(applied).toEqual([0, 1, 2, 3]);
  pace.take(1, 1, () => applied.push(4));
  expect(applied).toEqual([0, 1, 2, 3, 4]);
});
