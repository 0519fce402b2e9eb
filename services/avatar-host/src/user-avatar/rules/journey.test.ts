/** One notification through any order of events: decisions and what becomes of them, played together. */
import { DEFAULT_RULES, type Rules, type Show } from "@tidings/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { begin, doubt, dueAt, redecide, repeat, report } from "../progress.ts";
import type { DeliveriesRow, Delivery } from "../rows.ts";
import { type Decision, decide } from "./decide.ts";
import { compileRules } from "./routing.ts";
import { aNotification, aPresence, destinationAt, NEW } from "./scene.ts";

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 2, 28, 18);
const WITHIN_MS = 2 * MINUTE_MS;
const DESTINATIONS = [
  destinationAt("im", "alice@d"),
  destinationAt("im", "alice@work", "work"),
  destinationAt("sms", "+15550100", "phone"),
  destinationAt("email", "alice@example.org", "mail"),
];

const documents: readonly Partial<Rules>[] = [
  {},
  { quietHours: [{ from: "22:00", to: "07:00" }], zone: "Europe/Berlin" },
  { subscriptions: { "rss.1": { digest: { every: "PT1H" } } } },
  {
    ladders: {
      default: [
        { to: "im", when: { presence: ["available", "chat"] } },
        { wait: "PT5M" },
        { to: "im" },
        { unless: "received", within: "PT2M" },
        { to: "sms" },
        { unless: "received", within: "PT2M" },
        { to: "email" },
      ],
    },
    sms: { mostPerDay: 0 },
  },
];

/** Said here once more, so that the test does not believe what it tests. */
const SENT: ReadonlySet<Delivery["state"]> = new Set([
  "dispatched",
  "handed",
  "received",
  "displayed",
  "acted",
]);
const isUnderWay = ({ state }: Delivery) => SENT.has(state);

interface Play {
  readonly rules: Rules;
  readonly priority: "default" | "urgent";
  readonly duplicateOf: string | null;
  row: DeliveriesRow;
  shows: Readonly<Record<string, Show>>;
  pausedUntilAt: number | null;
  nowAt: number;
}

type Event = (play: Play) => void;

const event: fc.Arbitrary<Event> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("alice@d", "alice@work"),
      fc.constantFrom<Show>("available", "away", "dnd", "offline"),
    )
    .map(([address, show]) => (play: Play) => {
      play.shows = { ...play.shows, [address]: show };
      const left = DESTINATIONS.find((one) => one.address === address)?.id ?? "";
      if (show === "offline") play.row = doubt(play.row, left, play.nowAt);
    }),
  fc.constantFrom(1, 3, 45, 600).map((minutes) => (play: Play) => {
    play.nowAt += minutes * MINUTE_MS;
    play.row = repeat(play.row, play.nowAt);
  }),
  fc
    .tuple(
      fc.nat(3),
      fc.constantFrom("handed" as const, "received" as const, "refused" as const),
      fc.boolean(),
    )
    .map(
      ([at, state, mayRetry]) =>
        (play: Play) =>
          tell(play, at, state, mayRetry),
    ),
  fc.constantFrom(null, 30).map((minutes) => (play: Play) => {
    play.pausedUntilAt = minutes === null ? null : play.nowAt + minutes * MINUTE_MS;
  }),
);

/** What an agent says of one destination, if anything was dispatched there. */
function tell(play: Play, at: number, state: "handed" | "received" | "refused", mayRetry: boolean): void {
  const { destination = "", attempt = 0 } =
    play.row.deliveries.find(({ destination }) => destination === DESTINATIONS[at]?.id) ?? {};
  if (!play.row.deliveries.some((one) => one.destination === destination && isUnderWay(one))) return;
  const rest = {
    condition: "remote-server-timeout",
    mayRetry,
    at: play.nowAt,
    notification: "n",
    user: "alice",
  };
  play.row = report(play.row, { kind: "delivery", destination, attempt, state, ...rest });
}

function decisionsOf(play: Play): Decision[] {
  const { rules, priority, row, shows, pausedUntilAt, nowAt, duplicateOf } = play;
  const whereabouts = { presence: aPresence(shows), agentEpoch: 1, pausedUntilAt };
  const progress = { ...NEW, takenAt: START, deliveries: row.deliveries, duplicateOf };
  return decide(
    { notification: aNotification(), priority },
    compileRules(rules),
    DESTINATIONS,
    whereabouts,
    progress,
    nowAt,
  );
}

function opened(rules: Partial<Rules>, priority: Play["priority"], duplicateOf: string | null): Play {
  const play: Play = {
    rules: { ...DEFAULT_RULES, ...rules, ladders: { ...DEFAULT_RULES.ladders, ...rules.ladders } },
    priority,
    duplicateOf,
    row: { deliveries: [], trace: [] },
    shows: {},
    pausedUntilAt: null,
    nowAt: START,
  };
  play.row = begin(decisionsOf(play), START);
  return play;
}

const anyPlay = fc
  .tuple(
    fc.constantFrom(...documents),
    fc.constantFrom("default" as const, "urgent" as const),
    fc.option(fc.constant("Rooms"), { freq: 9 }),
  )
  .map((chosen) => () => opened(...chosen));

/** Plays the events; after each the avatar decides anew, as it does. `see` gets the row before and after that. */
function played(
  play: Play,
  events: readonly Event[],
  see: (play: Play, before: DeliveriesRow) => void,
): void {
  for (const happens of events) {
    happens(play);
    const before = play.row;
    play.row = redecide(before, decisionsOf(play), play.nowAt);
    see(play, before);
  }
}

const FINAL = new Set(["filtered", "muted", "duplicate", "acted", "smsBudget"]);
const isWaited = (delivery: Delivery) => delivery.state === "held" || isUnderWay(delivery);
/** Nothing more can be done for it: it was given up where it was tried, and there is no other way. */
function isAtItsEnd({ deliveries }: DeliveriesRow): boolean {
  const isTried = ({ state }: Delivery) => state === "expired" || state === "refused";
  const hasNoWay = ({ because }: Delivery) => because === "notOnLadder" || because === "smsBudget";
  return deliveries.some(isTried) && deliveries.every((one) => isTried(one) || hasNoWay(one));
}

test("no order of events loses a notification: it is somewhere, waits for something, or was given up everywhere", () => {
  fc.assert(
    fc.property(anyPlay, fc.array(event, { maxLength: 40 }), (open, events) => {
      const play = open();
      const check = () => {
        const { deliveries } = play.row;
        const isFinal = deliveries.every(({ because }) => because !== undefined && FINAL.has(because));
        expect(deliveries.some(isWaited) || isAtItsEnd(play.row) || isFinal).toBe(true);
      };
      check();
      played(play, events, check);
    }),
    { numRuns: 500 },
  );
});

test("what still waits goes as soon as the user is there and nothing of their own holds it", () => {
  fc.assert(
    fc.property(anyPlay, fc.array(event, { maxLength: 20 }), (open, events) => {
      const play = open();
      played(play, events, () => {});
      const waits = play.row.deliveries.find(
        ({ destination, state }) => destination === "im" && state === "held",
      );
      if (waits === undefined || play.row.deliveries.some(isUnderWay)) return;
      const back: Event = (now) => {
        now.shows = { ...now.shows, "alice@d": "available" };
        now.pausedUntilAt = null;
        const due = now.row.deliveries.map((one) => dueAt(one) ?? 0);
        now.nowAt = Math.max(now.nowAt, ...due);
      };
      played(play, [back, back, back], () => {});
      const { deliveries } = play.row;
      expect(deliveries.some(isUnderWay) || deliveries.some(({ state }) => state === "expired")).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("never two destinations where one was enough: a second one only when an unless has waited in vain for the first", () => {
  fc.assert(
    fc.property(anyPlay, fc.array(event, { maxLength: 40 }), (open, events) => {
      played(open(), events, ({ row, nowAt, priority, rules }, before) => {
        const isNew = (one: Delivery) =>
          one.state === "dispatched" &&
          before.deliveries.find(({ destination }) => destination === one.destination)?.state !==
            "dispatched";
        const fresh = row.deliveries.filter(isNew);
        expect(fresh.length).toBeLessThanOrEqual(1);
        if (fresh.length === 0) return;
        const others = row.deliveries.filter((one) => isUnderWay(one) && !isNew(one));
        const ladder = priority === "urgent" ? rules.ladders.urgent : rules.ladders.default;
        const hasUnless = ladder?.some(({ unless }) => unless !== undefined) ?? false;
        for (const { state, sentAt = 0 } of others) {
          expect(hasUnless && (state === "dispatched" || state === "handed")).toBe(true);
          expect(nowAt - sentAt).toBeGreaterThanOrEqual(WITHIN_MS);
        }
      });
    }),
    { numRuns: 500 },
  );
});

test("the same input gives the same decisions and reasons, and what was decided stays decided", () => {
  fc.assert(
    fc.property(anyPlay, fc.array(event, { maxLength: 20 }), (open, events) => {
      played(open(), events, (play) => {
        expect(decisionsOf(play)).toEqual(decisionsOf(play));
        expect(redecide(play.row, decisionsOf(play), play.nowAt)).toBe(play.row);
      });
    }),
    { numRuns: 500 },
  );
});

test("every reason is a short sentence without an end mark", () => {
  fc.assert(
    fc.property(anyPlay, fc.array(event, { maxLength: 10 }), (open, events) => {
      played(open(), events, (play) => {
        for (const { because } of decisionsOf(play)) expect(because.sentence).toMatch(/^[^.].{3,150}[^.]$/);
      });
    }),
  );
});
