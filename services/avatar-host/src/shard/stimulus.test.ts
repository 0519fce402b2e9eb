import { expect, test, vi } from "vitest";
import { MemoryRows } from "../memory-rows.ts";
import type { Avatar } from "./avatar.ts";
import { stimulate } from "./stimulus.ts";
import { Turn } from "./turn.ts";

const AT = 1_800_000_000_000;

/** Whether the avatar whose alarm is at `alarmAt` rings at `nowAt` for the alarm that was due at {@link AT}. */
function rings(alarmAt: number, nowAt: number): boolean {
  const onAlarm = vi.fn();
  const rows = new MemoryRows();
  rows.apply([{ avatar: "rss.1", key: "alarm", value: String(alarmAt) }]);
  stimulate({ onAlarm } as Partial<Avatar> as Avatar, new Turn("rss.1", rows, nowAt), {
    kind: "alarm",
    at: AT,
  });
  return onAlarm.mock.calls.length === 1;
}

test("an alarm that was set off rings though the clock was set back before its turn", () => {
  expect(rings(AT, AT + 1)).toBe(true);
  expect(rings(AT, AT - 3_600_000)).toBe(true);
});

test("an alarm that was moved since it was set off does not ring", () => {
  expect(rings(AT + 1, AT)).toBe(false);
});
