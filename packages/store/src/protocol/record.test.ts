import { expect, test } from "vitest";
import { judgeSlot } from "./record.ts";

test("a taken slot is the writer's own by its id, void below its epoch, and else the end of its ownership", () => {
  expect(judgeSlot({ id: "a", epoch: 3 }, "a", 3)).toBe("mine");
  expect(judgeSlot({ id: "b", epoch: 2 }, "a", 3)).toBe("void");
  expect(judgeSlot({ id: "b", epoch: 3 }, "a", 3)).toBe("deposed");
  expect(judgeSlot({ id: "b", epoch: 4 }, "a", 3)).toBe("deposed");
});
