import fc from "fast-check";
import { expect, test } from "vitest";
import { AckLine } from "./ack-line.ts";

/** What a broker has heard: the tags that it may forget. */
function broker() {
  const unsettled = new Set<number>();
  let frames = 0;
  const line = new AckLine((tag, multiple) => {
    frames++;
    for (const held of [...unsettled]) if (multiple ? held <= tag : held === tag) unsettled.delete(held);
  });
  return {
    line,
    unsettled,
    frames: () => frames,
    delivers: (tag: number) => {
      unsettled.add(tag);
      line.delivered(tag, tag * 1_000);
    },
  };
}

test("what is settled in one tick is acknowledged in one frame", async () => {
  const { line, unsettled, frames, delivers } = broker();
  for (let tag = 1; tag <= 100; tag++) delivers(tag);
  for (let tag = 1; tag <= 100; tag++) line.ack(tag);
  await Promise.resolve();
  expect(unsettled.size).toBe(0);
  expect(frames()).toBe(1);
});

test("a delivery that is still in work is not acknowledged with those behind it", async () => {
  const { line, unsettled, delivers } = broker();
  for (const tag of [1, 2, 3]) delivers(tag);
  line.ack(1);
  line.ack(3);
  await Promise.resolve();
  expect([...unsettled]).toEqual([2]);
});

test("in whatever order work ends, exactly what was acknowledged is forgotten", () => {
  const step = fc.record({ tag: fc.nat(29), how: fc.constantFrom("ack", "reject", "flush") });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { line, unsettled, delivers } = broker();
      for (let tag = 0; tag < 30; tag++) delivers(tag);
      const open = new Set(unsettled);
      for (const { tag, how } of steps) {
        if (how === "flush" || !open.delete(tag)) line.flush();
        else if (how === "ack") line.ack(tag);
        else {
          line.forget(tag);
          unsettled.delete(tag);
        }
      }
      line.flush();
      expect([...unsettled]).toEqual([...open]);
    }),
  );
});
