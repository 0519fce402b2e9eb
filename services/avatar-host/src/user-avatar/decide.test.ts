import type { Show } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { bestResource, decide, type Whereabouts } from "./decide.ts";
import { NO_PRESENCE, presenceView, withReport } from "./presence.ts";
import type { DestinationRow, PresenceRow } from "./rows.ts";

const rest = { channel: "im", code: null, codeUntilAt: null, triesLeft: 0, problem: null } as const;
const home: DestinationRow = { ...rest, id: "im", address: "alice@d", state: "verified" };
const work: DestinationRow = { ...rest, id: "work", address: "alice@work", state: "verified" };
const unverified: DestinationRow = { ...rest, id: "x", address: "alice@x", state: "unverified" };
let order = 0;

function seen(before: PresenceRow, address: string, resource: string, show: Show, priority = 0): PresenceRow {
  const report = {
    kind: "presence",
    user: "alice",
    address,
    resource,
    show,
    priority,
    idleSinceAt: null,
  } as const;
  return withReport(before, { ...report, order: ++order }, 1);
}
const at = (presence: PresenceRow, pausedUntilAt: number | null = null): Whereabouts => ({
  presence,
  agentEpoch: 1,
  pausedUntilAt,
});
const actions = (whereabouts: Whereabouts, ...destinations: DestinationRow[]) =>
  decide(destinations, whereabouts, 0).map(({ action }) => action);

test("nobody there: held everywhere, and never at an address that is not verified", () => {
  expect(actions(at(NO_PRESENCE), home, work, unverified)).toEqual(["hold", "hold"]);
});

test("it goes where the user is most present, and is skipped elsewhere with the reason", () => {
  const presence = seen(seen(NO_PRESENCE, "alice@d", "phone", "away"), "alice@work", "desk", "available");
  expect(decide([home, work], at(presence), 0)).toMatchObject([
    { action: "skip", reason: "reached at alice@work" },
    { action: "dispatch", reason: "alice@work is available" },
  ]);
});

test("between addresses where the user is as present the first one counts", () => {
  const presence = seen(seen(NO_PRESENCE, "alice@work", "desk", "dnd"), "alice@d", "phone", "dnd");
  expect(actions(at(presence), home, work)).toEqual(["dispatch", "skip"]);
});

test("a resource with a negative priority never receives", () => {
  const presence = seen(NO_PRESENCE, "alice@d", "bot", "chat", -1);
  expect(bestResource(presence, 1, "alice@d")).toBeNull();
  expect(actions(at(presence), home)).toEqual(["hold"]);
});

test("a pause holds whoever is there, until its end", () => {
  const presence = seen(NO_PRESENCE, "alice@d", "phone", "chat");
  expect(actions(at(presence, 1), home)).toEqual(["hold"]);
  expect(actions(at(presence, 0), home)).toEqual(["dispatch"]);
});

test("there is a decision for each verified address, and one dispatch at most", () => {
  const shows = fc.constantFrom<Show>("chat", "available", "away", "xa", "dnd", "offline");
  const reports = fc.array(
    fc.tuple(
      fc.constantFrom("alice@d", "alice@work", "alice@x"),
      fc.constantFrom("a", "b"),
      shows,
      fc.integer({ min: -1, max: 1 }),
    ),
  );
  fc.assert(
    fc.property(reports, (said) => {
      const presence = said.reduce(
        (before, [address, resource, show, priority]) => seen(before, address, resource, show, priority),
        NO_PRESENCE,
      );
      const decided = actions(at(presence), home, work, unverified);
      expect(decided).toHaveLength(2);
      const isReached = [home, work].some(({ address }) => bestResource(presence, 1, address) !== null);
      expect(decided.filter((action) => action === "dispatch")).toHaveLength(isReached ? 1 : 0);
      expect(decided.includes("hold")).toBe(!isReached);
    }),
  );
});

test("a report that is older than one that was heard changes nothing", () => {
  const now = seen(NO_PRESENCE, "alice@d", "phone", "available");
  const report = {
    kind: "presence",
    user: "alice",
    address: "alice@d",
    resource: "phone",
    show: "offline",
    priority: 0,
    idleSinceAt: null,
  } as const;
  expect(withReport(now, { ...report, order }, 1)).toBe(now);
  expect(withReport(now, { ...report, order: order + 1 }, 0)).toBe(now);
});

test("offline for the whole address ends all that was heard before, and nothing that was heard later", () => {
  const phone = seen(NO_PRESENCE, "alice@d", "phone", "available");
  const gone = seen(phone, "alice@d", "", "offline");
  expect(bestResource(gone, 1, "alice@d")).toBeNull();
  expect(bestResource(seen(gone, "alice@d", "desk", "away"), 1, "alice@d")?.show).toBe("away");
});

test("a new life of the agent begins with nobody there", () => {
  const before = seen(NO_PRESENCE, "alice@d", "phone", "available");
  expect(presenceView(before, 1)).toHaveLength(1);
  expect(presenceView(before, 2)).toEqual([]);
  expect(bestResource(before, 2, "alice@d")).toBeNull();
});

test("the resources of an address are bounded, and the newest stay", () => {
  let presence = NO_PRESENCE;
  for (let n = 0; n < 100; n++) presence = seen(presence, "alice@d", `r${n}`, "available");
  const kept = Object.keys(presence.addresses["alice@d"] ?? {});
  expect(kept).toHaveLength(20);
  expect(kept).toContain("r99");
});
