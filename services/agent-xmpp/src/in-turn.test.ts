import { expect, test } from "vitest";
import { InTurn } from "./in-turn.ts";

const ALICE = "alice@d.test";
const AWAY = { condition: "remote-server-timeout", mayRetry: true };

test("what waits goes when all before it is proven, in its order, and nothing is kept", () => {
  const turn = new InTurn<number>();
  expect(turn.isBusy(ALICE)).toBe(false);
  turn.sent(ALICE, "1");
  turn.sent(ALICE, "2");
  turn.wait(ALICE, "3", 3);
  turn.wait(ALICE, "4", 4);
  turn.wait(ALICE, "3", 33);
  expect(turn.settled(ALICE, "2", null)).toBeNull();
  expect(turn.settled(ALICE, "9", null)).toBeNull();
  const behind = turn.settled(ALICE, "1", null);
  expect([...(behind?.waited ?? [])]).toEqual([
    ["3", 33],
    ["4", 4],
  ]);
  expect([behind?.refusal, turn.size, turn.isBusy(ALICE)]).toEqual([null, 0, false]);
});

test("when one has to be tried again, so has all behind it", () => {
  const turn = new InTurn<number>();
  turn.sent(ALICE, "1");
  turn.sent(ALICE, "2");
  turn.wait(ALICE, "3", 3);
  turn.settled(ALICE, "1", AWAY);
  expect(turn.settled(ALICE, "2", null)).toMatchObject({ refusal: AWAY });
});

test("nobody waits for another address", () => {
  const turn = new InTurn<number>();
  turn.sent(ALICE, "1");
  expect(turn.isBusy("bob@d.test")).toBe(false);
});
