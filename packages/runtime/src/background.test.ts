import { expect, test } from "vitest";
import { Background } from "./background.ts";

const round = () => new Promise((resolve) => setImmediate(resolve));

test("one piece of work runs in each round of the event loop, in the order in which it came", async () => {
  const background = new Background();
  const ran: number[] = [];
  for (const piece of [1, 2, 3]) background.run(() => ran.push(piece));
  expect(ran).toEqual([]);
  for (const expected of [[1], [1, 2], [1, 2, 3]]) {
    await round();
    expect(ran).toEqual(expected);
  }
  expect(background.waiting).toBe(0);
});

test("what a piece adds runs behind what waits already", async () => {
  const background = new Background();
  const ran: string[] = [];
  background.run(() => background.run(() => ran.push("added")));
  background.run(() => ran.push("waited"));
  while (background.waiting > 0) await round();
  expect(ran).toEqual(["waited", "added"]);
});
