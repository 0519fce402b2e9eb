import type { Show } from "@tidings/protocol";
import { expect, test } from "vitest";
import { NO_PRESENCE, presenceView, withReport } from "../presence.ts";
import type { PresenceRow } from "../rows.ts";
import { bestResource, standingOf } from "./reach.ts";
import { destinationAt } from "./scene.ts";

let order = 0;

function report(address: string, resource: string, show: Show, priority = 0) {
  return { kind: "presence", user: "alice", address, resource, show, priority, idleSinceAt: null } as const;
}

function seen(before: PresenceRow, address: string, resource: string, show: Show, priority = 0): PresenceRow {
  return withReport(before, { ...report(address, resource, show, priority), order: ++order }, 1);
}

test("a resource with a negative priority never receives", () => {
  expect(bestResource(seen(NO_PRESENCE, "alice@d", "bot", "chat", -1), 1, "alice@d")).toBeNull();
});

test("a user stands as where they are most present, and other channels do not count", () => {
  const presence = seen(seen(NO_PRESENCE, "alice@d", "phone", "away"), "alice@work", "desk", "available");
  const destinations = [
    destinationAt("im", "alice@d"),
    destinationAt("im", "alice@work", "work"),
    destinationAt("sms", "alice@work", "x"),
  ];
  const whereabouts = { presence, agentEpoch: 1, pausedUntilAt: null };
  expect(standingOf(whereabouts, destinations).show).toBe("available");
  expect(standingOf(whereabouts, destinations.slice(2)).show).toBe("offline");
});

test("a report that is older than one that was heard changes nothing", () => {
  const now = seen(NO_PRESENCE, "alice@d", "phone", "available");
  expect(withReport(now, { ...report("alice@d", "phone", "offline"), order }, 1)).toBe(now);
  expect(withReport(now, { ...report("alice@d", "phone", "offline"), order: order + 1 }, 0)).toBe(now);
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
