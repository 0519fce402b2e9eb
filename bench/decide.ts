/** How long one routing decision takes, for a user with 50 subscriptions and 20 rules. In this process: no server is asked. */
import { type Filter, type Notification, type Rule, type Rules, readRules } from "@tidings/protocol";
import type { DestinationRow, PresenceRow } from "../services/avatar-host/src/user-avatar/rows.ts";
import { decide, type Progress } from "../services/avatar-host/src/user-avatar/rules/decide.ts";
import { compileRules } from "../services/avatar-host/src/user-avatar/rules/routing.ts";
import { type Figure, percentile } from "./figures.ts";

const SUBSCRIPTIONS = 50;
const RULES = 20;
const ROUNDS = 200;
const DECISIONS = 200;
const WARM_UP_ROUNDS = 20;
const WORDS =
  "quiet rooms near the river with a garden and two small windows facing north for a fair price".split(" ");

/** Microseconds of a decision, and beside it the same without any rules. */
export async function measureDecide(): Promise<Figure[]> {
  const rules = rulesOf();
  const own = figures(rules);
  const bare = figures(documentOf({}));
  return [
    { name: "decide without rules p50", value: percentile(bare, 0.5), unit: "µs" },
    { name: "decide with 20 rules p50", value: percentile(own, 0.5), unit: "µs", target: { most: 50 } },
    {
      name: "decide with 20 rules p99",
      value: percentile(own, 0.99),
      unit: "µs",
      beside: "of 200 at a time",
    },
  ];
}

/** The mean of each round, in microseconds. */
function figures(rules: Rules): number[] {
  const routing = compileRules(rules);
  const notifications = Array.from({ length: DECISIONS }, (_, at) => notificationOf(at));
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    const startMs = performance.now();
    for (const [at, notification] of notifications.entries()) {
      const priority = at % 10 === 0 ? "urgent" : "default";
      decide({ notification, priority }, routing, DESTINATIONS, WHEREABOUTS, PROGRESS, NOW + at);
    }
    if (round >= WARM_UP_ROUNDS) rounds.push(((performance.now() - startMs) * 1_000) / DECISIONS);
  }
  return rounds;
}

const NOW = Date.UTC(2026, 0, 14, 12);
const PROGRESS: Progress = {
  takenAt: NOW,
  deliveries: [],
  duplicateOf: null,
  burstUntilAt: null,
  snoozedUntilAt: null,
  isRead: false,
  isAcknowledged: false,
  smsSentToday: 0,
  busy: new Set(),
};
const DESTINATIONS: readonly DestinationRow[] = (["im", "sms", "email"] as const).map((channel) => ({
  id: channel,
  channel,
  address: `alice@${channel}`,
  state: "verified",
  code: null,
  codeUntilAt: null,
  triesLeft: 0,
  problem: null,
}));
const PRESENCE: PresenceRow = {
  agentEpoch: 1,
  addresses: { "alice@im": { phone: { show: "away", priority: 0, idleSinceAt: NOW - 60_000, order: 1 } } },
};
const WHEREABOUTS = { presence: PRESENCE, agentEpoch: 1, pausedUntilAt: null };

/** Every subscription has a filter, every rule matches on words, and one in five on an expression; few of them apply. */
function rulesOf(): Rules {
  const subscriptions = Array.from({ length: SUBSCRIPTIONS }, (_, at) => [
    `rss.${at}`,
    { filter: { not: { any: [{ contains: `sponsored ${at}` }, { in: "author", contains: "advertiser" }] } } },
  ]);
  return documentOf({
    zone: "Europe/Berlin",
    subscriptions: Object.fromEntries(subscriptions),
    rules: Array.from({ length: RULES }, (_, at) => ruleOf(at)),
    quietHours: [{ from: "22:00", to: "07:00" }],
  });
}

function ruleOf(at: number): Rule {
  const match: Filter =
    at % 5 === 0
      ? { in: "title", matches: `(flat|rooms?) ${at}[0-9]+ (in|near) \\w+` }
      : { all: [{ contains: `word ${at}` }, { not: { contains: "sold" } }] };
  return { name: `rule ${at}`, when: { match }, set: { priority: "high" } };
}

function documentOf(input: unknown): Rules {
  const known = {
    destinations: [],
    subscriptions: Array.from({ length: SUBSCRIPTIONS }, (_, at) => `rss.${at}`),
  };
  const { rules, problems } = readRules(input, known);
  if (rules === null)
    throw new Error(`the rules of the bench: ${problems[0]?.pointer} ${problems[0]?.detail}`);
  return rules;
}

/** A title of 60 and a summary of 500 characters, as feeds have them. */
function notificationOf(at: number): Notification {
  const words = (count: number) =>
    Array.from({ length: count }, (_, n) => WORDS[(n * 7 + at) % WORDS.length]).join(" ");
  return {
    id: at.toString(16).padStart(32, "0"),
    title: words(12),
    link: `https://feeds.example/${at}`,
    summary: words(100),
    author: "Somebody",
    publishedAt: null,
    source: `rss.${at % SUBSCRIPTIONS}`,
    seq: at + 1,
    receivedAt: NOW,
  };
}
