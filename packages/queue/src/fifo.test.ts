import fc from "fast-check";
import { expect, test } from "vitest";
import { Fifo } from "./fifo.ts";

test("values come out as they went in, however they are put in and taken out", () => {
  const step = fc.oneof(
    fc.record({ push: fc.integer() }),
    fc.record({ unshift: fc.array(fc.integer(), { maxLength: 3 }) }),
    fc.constant("shift" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [fifo, model]: [Fifo<number>, number[]] = [new Fifo(), []];
      for (const what of steps) {
        if (what === "shift") expect(fifo.shift()).toBe(model.shift());
        else if ("push" in what) {
          fifo.push(what.push);
          model.push(what.push);
        } else {
          fifo.unshift(what.unshift);
          model.unshift(...what.unshift);
        }
        expect([fifo.size, fifo.peek()]).toEqual([model.length, model[0]]);
      }
      expect(fifo.drain()).toEqual(model);
      expect(fifo.size).toBe(0);
    }),
  );
});

test("a long line stays in order while it is taken down", () => {
  const fifo = new Fifo<number>();
  for (let value = 0; value < 5_000; value += 1) fifo.push(value);
  for (let value = 0; value < 5_000; value += 1) expect(fifo.shift()).toBe(value);
  expect(fifo.shift()).toBeUndefined();
});
