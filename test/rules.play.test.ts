/** The rules of a user on real servers: put over REST, asked of the simulator, and kept. */
import { afterEach, expect, test } from "vitest";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());

/** Quiet hours around now, whenever the play is given. */
function quietNow(): { from: string; to: string } {
  const now = Temporal.Now.zonedDateTimeISO("UTC").toPlainTime();
  const shown = (time: Temporal.PlainTime) => time.toString({ smallestUnit: "minute" });
  return { from: shown(now.subtract({ hours: 2 })), to: shown(now.add({ hours: 2 })) };
}

test("quiet hours hold, urgent passes, the simulator said so, and without them what was held is told", async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  const urgent = { name: "fire", when: { match: { contains: "on fire" } }, set: { priority: "urgent" } };
  wellDone(await alice.rest.ask("PUT", "/v1/rules", { quietHours: [quietNow()], rules: [urgent] }));
  const said = wellDone(await alice.rest.post("/v1/rules/simulate", { notification: { title: "A room" } }));
  expect(said.decisions).toMatchObject([{ destination: "im", action: "hold", because: "quiet" }]);

  feed.publishes("A room");
  const { deliveries } = await alice.hasInHistory("A room", "held");
  expect(deliveries[0].reason).toBe(said.decisions[0].reason);
  feed.publishes("A room on fire");
  await alice.hears("A room on fire");

  wellDone(await alice.rest.ask("PUT", "/v1/rules", {}));
  await alice.hears("A room");
  const { id } = await alice.hasInHistory("A room", "received");
  const { trace } = wellDone(await alice.rest.get(`/v1/history/${id}`));
  // The client's receipt may come with the agent's word that it handed the message over: then that is one step.
  expect(trace.flatMap(({ because = [] }) => because)).toEqual(["quiet", "reachable"]);
});

test("rules of nearly the full size are taken, and what is wrong with others is said with its place", async () => {
  const alice = await theatre.user("alice");
  const rule = (at: number) => ({
    name: `rule ${at}`,
    when: {
      match: { any: Array.from({ length: 8 }, (_, n) => ({ contains: `${at} ${n} ${"ü".repeat(70)}` })) },
    },
    set: { mute: true },
  });
  const rules = { rules: Array.from({ length: 44 }, (_, at) => rule(at)) };
  expect(Buffer.byteLength(JSON.stringify(rules))).toBeGreaterThan(55_000);
  expect(wellDone(await alice.rest.ask("PUT", "/v1/rules", rules)).rules).toEqual(rules.rules);
  const answer = await alice.rest.ask("PUT", "/v1/rules", { zone: "Europe/Atlantis" });
  expect(answer).toMatchObject({ status: 422, body: { errors: [{ pointer: "/zone" }] } });
});
