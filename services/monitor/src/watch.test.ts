import { silentLog } from "@tidings/runtime";
import { expect, test } from "vitest";
import { Watch } from "./watch.ts";

/** A leadership that is as the test says. */
function stage() {
  const said: string[] = [];
  const leadership = { leads: false, look: async () => {}, giveUp: async () => void said.push("given up") };
  let fails = false;
  const take = async () => {
    if (fails) throw new Error("the table is away");
    said.push("taken");
    return { leave: async () => void said.push("left") };
  };
  const watch = new Watch(leadership, take, silentLog());
  return { said, leadership, watch, fail: (isSo: boolean) => (fails = isSo) };
}

test("office is taken when it leads, and left when it does not", async () => {
  const { said, leadership, watch } = stage();
  await watch.look();
  leadership.leads = true;
  await watch.look();
  await watch.look();
  leadership.leads = false;
  await watch.look();
  await watch.stop();
  expect(said).toEqual(["taken", "left", "given up"]);
});

test("what could not be taken is taken with the next look; who stops leaves, and gives the lease back", async () => {
  const { said, leadership, watch, fail } = stage();
  leadership.leads = true;
  fail(true);
  await watch.look();
  fail(false);
  await watch.look();
  await watch.stop();
  expect(said).toEqual(["taken", "left", "given up"]);
});

test("an office for which the lease has run out while it was taken is left at once", async () => {
  const said: string[] = [];
  const leadership = { leads: true, look: async () => {}, giveUp: async () => {} };
  const take = async () => {
    leadership.leads = false;
    return { leave: async () => void said.push("left") };
  };
  const watch = new Watch(leadership, take, silentLog());
  await watch.look();
  expect(said).toEqual(["left"]);
});

test("a lease that runs out while a look hangs is acted upon", async () => {
  const { said, leadership, watch } = stage();
  leadership.leads = true;
  await watch.start(1_000_000);
  leadership.look = () => new Promise(() => {});
  void watch.look();
  leadership.leads = false;
  await expect.poll(() => said).toEqual(["taken", "left"]);
});
