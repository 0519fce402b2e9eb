import type { PresenceReport, Show } from "@tidings/protocol";
import { expect, test } from "vitest";
import { isAnyonePresent, mayHaveTaken, NO_PRESENCE, withReport } from "./presence.ts";

function said(show: Show, order: number, resource = "phone", priority = 0): PresenceReport {
  return {
    kind: "presence",
    user: "alice",
    address: "a@d",
    resource,
    show,
    priority,
    idleSinceAt: null,
    order,
  };
}

test("what a client says again is no news", () => {
  const here = withReport(NO_PRESENCE, said("available", 1), 1);
  expect(withReport(here, said("available", 2), 1)).toBe(here);
  expect(withReport(here, said("away", 3), 1)).not.toBe(here);
});

test("of a thousand resources twenty are kept, and a report for the whole address ends them all", () => {
  let presence = NO_PRESENCE;
  for (let order = 1; order <= 1_000; order++)
    presence = withReport(presence, said("available", order, `r${order}`), 1);
  expect(Object.keys(presence.addresses["a@d"] ?? {})).toHaveLength(20);
  presence = withReport(presence, said("offline", 1_001, ""), 1);
  expect(isAnyonePresent(presence)).toBe(false);
  presence = withReport(presence, said("available", 1_002), 1);
  presence = withReport(presence, said("offline", 1_003, ""), 1);
  expect(isAnyonePresent(presence)).toBe(false);
});

test("only what could receive may have taken a message with it, and after an agent's restart anything could", () => {
  const here = withReport(NO_PRESENCE, said("available", 1), 1);
  const silent = withReport(here, said("available", 2, "bot", -1), 1);
  expect(mayHaveTaken(silent, said("offline", 3), 1)).toBe(true);
  expect(mayHaveTaken(silent, said("offline", 3, "bot"), 1)).toBe(false);
  expect(mayHaveTaken(silent, said("offline", 3, ""), 1)).toBe(true);
  const gone = withReport(silent, said("offline", 3), 1);
  expect(mayHaveTaken(gone, said("offline", 4), 1)).toBe(false);
  expect(mayHaveTaken(gone, said("offline", 4, ""), 1)).toBe(false);
  expect(mayHaveTaken(gone, said("offline", 4), 2)).toBe(true);
});

test("another client at an address, first of all that a new life of the agent hears, says that the earlier ones may have gone", () => {
  const elsewhere = { ...said("available", 1, "desk"), address: "b@d" };
  const here = withReport(withReport(NO_PRESENCE, said("available", 1), 1), elsewhere, 1);
  expect(mayHaveTaken(here, said("available", 2, "tablet"), 1)).toBe(false);
  expect(mayHaveTaken(here, said("available", 1), 2)).toBe(false);
  expect(mayHaveTaken(here, said("available", 1, "tablet"), 2)).toBe(true);

  const anew = withReport(here, said("available", 1, "tablet"), 2);
  expect(mayHaveTaken(anew, said("available", 2, "laptop"), 2)).toBe(false);
  expect(mayHaveTaken(anew, { ...elsewhere, resource: "attic" }, 2)).toBe(true);
  expect(withReport(anew, elsewhere, 2).earlier).toBeUndefined();
});
