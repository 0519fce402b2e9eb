import { silentLog } from "@tidings/runtime";
import { expect, test } from "vitest";
import { keepRecord } from "./keep-record.ts";

/** A monitor whose record is "measured"; what it keeps is in `kept`. */
function stage() {
  const kept: string[] = [];
  const state = { leads: true, isAway: false };
  const rows = {
    keepRecord: async (text: string) => {
      if (state.isAway) throw new Error("the table is away");
      kept.push(text);
    },
  };
  const keep = () =>
    keepRecord({ rows, record: { text: "measured" }, leads: () => state.leads, log: silentLog() });
  return { kept, state, keep };
}

test("who leads keeps its record, and who has been deposed does not write over its successor's", async () => {
  const { kept, state, keep } = stage();
  await keep();
  state.leads = false;
  await keep();
  expect(kept).toEqual(["measured"]);
});

test("a table that is away for a moment takes the record the next time", async () => {
  const { kept, state, keep } = stage();
  state.isAway = true;
  await keep();
  state.isAway = false;
  await keep();
  expect(kept).toEqual(["measured"]);
});
