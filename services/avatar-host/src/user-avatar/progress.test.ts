import type { DeliveryReport, ReportedState } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  begin,
  doubt,
  dueAt,
  furthest,
  HANDED_DOUBT_MS,
  IM_EXPIRES_MS,
  redecide,
  repeat,
  report,
} from "./progress.ts";
import type { DeliveriesRow, Delivery, DestinationRow } from "./rows.ts";
import type { Decision } from "./rules/decide.ts";

const im: DestinationRow = {
  id: "im",
  channel: "im",
  address: "alice@d",
  state: "verified",
  code: null,
  codeUntilAt: null,
  triesLeft: 0,
  problem: null,
};
const decision = (action: Decision["action"], untilAt: number | null = null): Decision => {
  const because = { code: "reachable", sentence: action } as const;
  return { destination: im, action, because, untilAt, bundle: null } as Decision;
};
const dispatched = () => begin([decision("dispatch")], 0);
const stateOf = ({ deliveries }: DeliveriesRow) => deliveries[0]?.state;
const attemptOf = ({ deliveries }: DeliveriesRow) => deliveries[0]?.attempt;

function says(state: ReportedState, rest: Partial<DeliveryReport> = {}): DeliveryReport {
  const condition = state === "refused" ? "recipient-unavailable" : null;
  return {
    kind: "delivery",
    user: "alice",
    notification: "n",
    destination: "im",
    attempt: 1,
    condition,
    mayRetry: false,
    at: 1,
    state,
    ...rest,
  };
}

const states: readonly ReportedState[] = ["handed", "received", "displayed", "acted", "refused"];
const anyReport = fc
  .record({
    state: fc.constantFrom(...states),
    attempt: fc.integer({ min: 1, max: 3 }),
    mayRetry: fc.boolean(),
  })
  .map(({ state, ...rest }) => says(state, rest));
const anyStep = fc.oneof(
  anyReport.map((said) => (row: DeliveriesRow) => report(row, said)),
  fc.constant((row: DeliveriesRow) => doubt(row, "im", 2)),
  fc
    .constantFrom(decision("dispatch"), decision("hold"), decision("skip"))
    .map((next) => (row: DeliveriesRow) => redecide(row, [next], 2)),
);

test("no order of reports, doubts and decisions makes a received delivery held or dispatched again", () => {
  fc.assert(
    fc.property(fc.array(anyStep), fc.array(anyStep), (before, after) => {
      const through = (row: DeliveriesRow, steps: typeof before) =>
        steps.reduce((current, step) => step(current), row);
      const received = report(through(dispatched(), before), says("received"));
      const end = through(received, after);
      expect(["received", "displayed", "acted"]).toContain(stateOf(end));
    }),
  );
});

test("the same report again changes nothing", () => {
  fc.assert(
    fc.property(fc.array(anyStep), anyReport, (steps, said) => {
      const row = report(
        steps.reduce((current, step) => step(current), dispatched()),
        said,
      );
      expect(report(row, said)).toBe(row);
    }),
  );
});

test("an attempt never goes back, and goes up only when the delivery is held again", () => {
  fc.assert(
    fc.property(fc.array(anyStep), (steps) => {
      let row = dispatched();
      for (const step of steps) {
        const next = step(row);
        const rise = (attemptOf(next) ?? 0) - (attemptOf(row) ?? 0);
        expect(rise === 0 || (rise === 1 && stateOf(next) === "held")).toBe(true);
        row = next;
      }
    }),
  );
});

test("a trace tells each step once, and is bounded", () => {
  let row = dispatched();
  for (let attempt = 1; attempt <= 100; attempt++) {
    row = report(row, says("handed", { attempt }));
    row = doubt(row, "im", 2);
    row = redecide(row, [decision("dispatch")], 700_000);
  }
  expect(row.trace).toHaveLength(60);
  expect(row.trace.slice(-3).map(({ state }) => state)).toEqual(["handed", "held", "dispatched"]);
});

test("a report of handing over that comes again does not undo that the client has gone", () => {
  const handed = report(dispatched(), says("handed"));
  const held = doubt(handed, "im", 2);
  expect(stateOf(held)).toBe("held");
  expect(report(held, says("handed"))).toBe(held);
  expect(stateOf(report(held, says("received")))).toBe("received");
});

test("what was handed long ago is not doubted when the client leaves", () => {
  const handed = report(dispatched(), says("handed", { at: 0 }));
  expect(doubt(handed, "im", HANDED_DOUBT_MS)).toBe(handed);
});

test("a server that is away is tried for 24 hours, ever more rarely, and then the delivery expires", () => {
  let row = dispatched();
  let nowAt = 0;
  let tries = 0;
  for (; stateOf(row) === "dispatched"; tries++) {
    const attempt = attemptOf(row) ?? 0;
    nowAt += 10_000;
    row = report(
      row,
      says("refused", { attempt, mayRetry: true, at: nowAt, condition: "remote-server-timeout" }),
    );
    expect(stateOf(row)).toBe("held");
    nowAt = row.deliveries[0]?.retryAt ?? 0;
    row = redecide(row, [decision("dispatch")], nowAt);
  }
  expect(stateOf(row)).toBe("expired");
  expect(nowAt).toBeGreaterThanOrEqual(IM_EXPIRES_MS);
  expect(nowAt).toBeLessThan(IM_EXPIRES_MS + 620_000);
  expect(tries).toBeLessThan(160);
});

test("a server that says for the tenth time that it has nobody to give it to is believed", () => {
  let row = dispatched();
  const refuse = (attempt: number, condition: string) => {
    row = report(row, says("refused", { attempt, mayRetry: true, condition }));
  };
  for (let attempt = 1; attempt < 20; attempt++) {
    refuse(attempt, attempt % 2 === 0 ? "remote-server-timeout" : "service-unavailable");
    if (stateOf(row) !== "held") break;
    row = redecide(row, [decision("dispatch")], 3_600_000);
  }
  expect(row.deliveries[0]).toMatchObject({
    state: "refused",
    reason: "refused: service-unavailable",
    attempt: 19,
  });
});

test("a dispatch without a word is repeated later and later as the same attempt, and expires after a day", () => {
  let row = dispatched();
  const repeatedAt: number[] = [];
  for (let nowAt = 0; stateOf(row) === "dispatched"; nowAt = dueAt(row.deliveries[0] as Delivery) ?? nowAt) {
    const next = repeat(row, nowAt);
    if (next !== row) repeatedAt.push(nowAt);
    row = next;
  }
  expect(repeatedAt.slice(0, 4)).toEqual([30_000, 90_000, 210_000, 450_000]);
  expect(repeatedAt.length).toBeLessThan(160);
  expect(attemptOf(row)).toBe(1);
  expect(stateOf(row)).toBe("expired");
  expect(row.trace.map(({ state }) => state)).toEqual(["dispatched", "expired"]);
});

test("a client that leaves again and again without confirming is sent it later and later", () => {
  const offer = (row: DeliveriesRow, nowAt: number) => {
    const sent = redecide(row, [decision("dispatch")], nowAt);
    if (sent === row) return row;
    return doubt(report(sent, says("handed", { attempt: attemptOf(sent) ?? 0, at: nowAt })), "im", nowAt);
  };
  let row = doubt(report(dispatched(), says("handed", { at: 0 })), "im", 0);
  for (let nowAt = 0; nowAt < 60_000; nowAt += 100) row = offer(row, nowAt);
  expect(attemptOf(row)).toBeLessThan(8);
});

test("a refusal for good is the end, unless the client has it all the same", () => {
  const refused = report(dispatched(), says("refused"));
  expect(stateOf(refused)).toBe("refused");
  expect(redecide(refused, [decision("dispatch")], 2)).toBe(refused);
  expect(stateOf(report(refused, says("received")))).toBe("received");
});

test("what was held for a day expires instead of being dispatched", () => {
  const held = begin([decision("hold")], 0);
  expect(stateOf(redecide(held, [decision("dispatch")], IM_EXPIRES_MS - 1))).toBe("dispatched");
  expect(stateOf(redecide(held, [decision("dispatch")], IM_EXPIRES_MS))).toBe("expired");
});

test("a held delivery at a destination that was removed is skipped", () => {
  expect(stateOf(redecide(begin([decision("hold")], 0), [], 1))).toBe("skipped");
});

test("what waits for a time of the user's own is not given up, however late that is looked at", () => {
  const held = begin([decision("hold", 3 * IM_EXPIRES_MS)], 0);
  expect(redecide(held, [decision("hold", 3 * IM_EXPIRES_MS)], 2 * IM_EXPIRES_MS)).toBe(held);
  expect(stateOf(redecide(held, [decision("dispatch")], 3 * IM_EXPIRES_MS))).toBe("dispatched");
  expect(stateOf(redecide(held, [decision("dispatch")], 9 * IM_EXPIRES_MS))).toBe("dispatched");
});

test("a day of absence is counted from when the user's own rules let it go", () => {
  const paused = begin([decision("hold", 3 * IM_EXPIRES_MS)], 0);
  const resumed = redecide(paused, [decision("hold")], 2 * IM_EXPIRES_MS);
  expect(redecide(resumed, [decision("hold")], 3 * IM_EXPIRES_MS - 1)).toBe(resumed);
  expect(stateOf(redecide(resumed, [decision("hold")], 3 * IM_EXPIRES_MS))).toBe("expired");
});

test("what was left out is taken up when it is wanted after all, and what was tried is not", () => {
  const skipped = begin([decision("skip")], 0);
  expect(redecide(skipped, [decision("skip")], 1)).toBe(skipped);
  expect(stateOf(redecide(skipped, [decision("dispatch")], 1))).toBe("dispatched");
  const refused = report(dispatched(), says("refused"));
  expect(redecide(refused, [decision("hold")], 1)).toBe(refused);
});

test("a destination that has come since is added when it is used", () => {
  const phone = { ...im, id: "phone" };
  const held = begin([decision("hold")], 0);
  const after = redecide(held, [decision("hold"), { ...decision("dispatch"), destination: phone }], 1);
  expect(after.deliveries.map(({ destination, state }) => [destination, state])).toEqual([
    ["im", "held"],
    ["phone", "dispatched"],
  ]);
  expect(redecide(held, [decision("hold"), { ...decision("skip"), destination: phone }], 1)).toBe(held);
});

test("a held delivery that is decided the same way is the same row", () => {
  const held = begin([decision("hold")], 0);
  expect(redecide(held, [decision("hold")], 1)).toBe(held);
});

test("the state of a notification is the furthest of its deliveries", () => {
  expect(furthest([])).toBe("unread");
  const row = begin([decision("skip"), decision("hold")], 0);
  expect(furthest(row.deliveries)).toBe("held");
  expect(furthest(report(dispatched(), says("displayed")).deliveries)).toBe("displayed");
});

test("a refusal for a passing reason is tried again after a while, and not before", () => {
  const refused = report(dispatched(), says("refused", { mayRetry: true, at: 1_000 }));
  expect(stateOf(refused)).toBe("held");
  expect(redecide(refused, [decision("dispatch")], 2_999)).toBe(refused);
  expect(redecide(refused, [decision("dispatch")], 3_000).deliveries[0]).toMatchObject({
    state: "dispatched",
    attempt: 2,
  });
});
