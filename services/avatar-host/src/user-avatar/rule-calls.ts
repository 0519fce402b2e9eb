/** Reading, putting and trying out the rules. */
import {
  type CallArgs,
  CallError,
  type CallResult,
  type Filter,
  type ImaginedNotification,
  type ImaginedPresence,
  muteUntilAt,
  type Notification,
  type Priority,
  type Rule,
  type Rules,
  readRules,
} from "@tidings/protocol";
import { withPrefix } from "@tidings/store";
import type { Turn } from "../shard/turn.ts";
import type { Situation } from "./deliveries.ts";
import { smsSentToday } from "./intake.ts";
import { rulesIn } from "./routing-row.ts";
import {
  type CoreRow,
  type DeliveriesRow,
  HISTORY,
  INDEX,
  PAGE,
  PENDING,
  type PresenceRow,
  priorityOf,
  RULES,
  type RulesRow,
  SETTLED,
  SUBSCRIPTION,
  type SubscriptionRow,
} from "./rows.ts";
import { type Decision, decide, type Progress } from "./rules/decide.ts";
import { routeOf } from "./rules/routing.ts";

/** Stores the rules, unless they are refused or no longer based on the present ones. */
export function putRules(
  turn: Turn,
  core: CoreRow,
  { rules: input, ifVersion }: CallArgs<"putRules">,
): CallResult<"putRules"> {
  const { version } = rulesIn(turn);
  if (ifVersion !== null && ifVersion !== version) return { outcome: "stale", version };
  return store(turn, core, input, subscriptionsIn(turn));
}

function subscriptionsIn(turn: Turn): string[] {
  return turn.list(withPrefix(SUBSCRIPTION)).map(({ key }) => key.slice(SUBSCRIPTION.length));
}

function store(
  turn: Turn,
  core: CoreRow,
  input: unknown,
  subscriptions: readonly string[],
): Exclude<CallResult<"putRules">, { outcome: "stale" }> {
  const { version } = rulesIn(turn);
  const { rules, problems } = readRules(input, { destinations: core.destinations, subscriptions });
  if (rules === null) return { outcome: "refused", problems: [...problems] };
  turn.put(RULES, { version: version + 1, rules } satisfies RulesRow);
  return { outcome: "stored", version: version + 1 };
}

/** What a subscription lets through; null: everything. */
export function filterOf(turn: Turn, subscription: string): Filter | null {
  return rulesIn(turn).rules.subscriptions[subscription]?.filter ?? null;
}

/** Has a subscription let through what `filter` says; null: everything. Throws CallError with all that is wrong with it. */
export function putFilter(turn: Turn, core: CoreRow, subscription: string, filter: unknown): void {
  changeOwnRules(turn, core, subscription, ({ filter: _, ...rest }) =>
    filter === null ? rest : { ...rest, filter },
  );
}

/** Mutes a subscription until then, if it is not muted for longer. Throws CallError when other rules then make no sense. */
export function mute(turn: Turn, core: CoreRow, subscription: string, untilAt: number): void {
  const until = new Date(untilAt).toISOString();
  changeOwnRules(turn, core, subscription, (before) =>
    isMutedUntil(before.mute, untilAt) ? before : { ...before, mute: { until } },
  );
}

function isMutedUntil(mute: Rules["subscriptions"][string]["mute"], untilAt: number): boolean {
  return typeof mute === "object" ? muteUntilAt(mute.until) >= untilAt : mute === true;
}

/** Stores what the rules then say of one subscription. Throws CallError with all that is wrong with it. */
function changeOwnRules(
  turn: Turn,
  core: CoreRow,
  subscription: string,
  change: (before: Rules["subscriptions"][string]) => object,
): void {
  const { rules } = rulesIn(turn);
  const { [subscription]: before = {}, ...others } = rules.subscriptions;
  const own = change(before);
  const subscriptions = Object.keys(own).length === 0 ? others : { ...others, [subscription]: own };
  // A subscription of this turn is not among the rows yet.
  const known = [...subscriptionsIn(turn), subscription];
  const answer = store(turn, core, { ...rules, subscriptions }, known);
  if (answer.outcome !== "refused") return;
  const prefix = `/subscriptions/${subscription}`;
  const sentences = answer.problems.map(
    ({ pointer, detail }) =>
      `${pointer.startsWith(prefix) ? pointer.slice(prefix.length) : pointer}: ${detail}`,
  );
  throw new CallError("modify", "bad-request", sentences.join(" "));
}

/** The user has left a subscription: the rules no longer speak of it, so that they can be read, changed and put again. */
export function forgetInRules(turn: Turn, subscription: string): void {
  const { version, rules } = rulesIn(turn);
  const left = withoutSubscription(rules, subscription);
  if (left !== rules) turn.put(RULES, { version: version + 1, rules: left } satisfies RulesRow);
}

/** A rule for that subscription alone goes with it; the same value when nothing speaks of it. */
function withoutSubscription(rules: Rules, id: string): Rules {
  const isNamed = (rule: Rule) => rule.when.subscriptions?.includes(id) ?? false;
  if (!Object.hasOwn(rules.subscriptions, id) && !rules.rules.some(isNamed)) return rules;
  const { [id]: _, ...subscriptions } = rules.subscriptions;
  const left = rules.rules.map((rule) => {
    if (!isNamed(rule)) return rule;
    return {
      ...rule,
      when: { ...rule.when, subscriptions: (rule.when.subscriptions ?? []).filter((one) => one !== id) },
    };
  });
  return { ...rules, subscriptions, rules: left.filter(({ when }) => when.subscriptions?.length !== 0) };
}

/** What `decide` says of a notification that came at that time, with nothing tried yet. Throws CallError. */
export function simulate(
  turn: Turn,
  situation: Situation,
  { historyId, notification: imagined, presence, at }: CallArgs<"simulate">,
): CallResult<"simulate"> {
  const nowAt = at ?? turn.nowAt;
  const subject = subjectOf(turn, historyId, imagined, nowAt);
  const { core, routing, agentEpoch } = situation;
  const seen = presence === null ? situation.presence : presenceRow(presence, core, agentEpoch);
  const pages = presence === null ? situation.pages : pageStanding(presence);
  const whereabouts = { ...situation, presence: seen, pages };
  const progress = { ...progressAt(turn, historyId, nowAt), smsSentToday: smsSentToday(turn, routing) };
  const { priority, rule } = routeOf(subject.notification, subject.priority, routing);
  const decisions = decide(subject, routing, core.destinations, whereabouts, progress, nowAt);
  return { at: nowAt, priority, rule, decisions: decisions.map(decisionView) };
}

function subjectOf(
  turn: Turn,
  historyId: string | null,
  imagined: ImaginedNotification | null,
  nowAt: number,
): { notification: Notification; priority: Priority } {
  if ((historyId === null) === (imagined === null))
    throw new CallError("modify", "bad-request", "Give either a notification or a historyId, not both.");
  const notification =
    imagined === null ? fromHistory(turn, historyId ?? "") : notificationOf(imagined, nowAt);
  const subscription = turn.get<SubscriptionRow>(SUBSCRIPTION + notification.source);
  return { notification, priority: imagined?.priority ?? priorityOf(subscription, notification) };
}

function fromHistory(turn: Turn, id: string): Notification {
  const number = turn.text(INDEX + id);
  const notification = number === undefined ? undefined : turn.get<Notification>(HISTORY + number);
  if (notification !== undefined) return notification;
  throw new CallError("cancel", "item-not-found", "There is no such notification in your history.");
}

function notificationOf(
  { priority: _, title, source, summary, link, author, categories }: ImaginedNotification,
  nowAt: number,
): Notification {
  return {
    id: "0".repeat(32),
    title,
    link: link ?? null,
    summary: summary ?? null,
    author: author ?? null,
    publishedAt: null,
    ...(categories === undefined ? {} : { categories }),
    source: source ?? "imagined",
    seq: 1,
    receivedAt: nowAt,
  };
}

/** A past one keeps what was found when it came; what became of it since is left aside. */
function progressAt(turn: Turn, historyId: string | null, nowAt: number): Progress {
  const number = historyId === null ? undefined : turn.text(INDEX + historyId);
  const row =
    number === undefined
      ? undefined
      : (turn.get<DeliveriesRow>(PENDING + number) ?? turn.get<DeliveriesRow>(SETTLED + number));
  return {
    takenAt: nowAt,
    deliveries: [],
    duplicateOf: row?.duplicateOf ?? null,
    burstUntilAt: null,
    snoozedUntilAt: null,
    isRead: false,
    isAcknowledged: false,
    smsSentToday: 0,
    busy: new Set(),
  };
}

function presenceRow(imagined: readonly ImaginedPresence[], core: CoreRow, agentEpoch: number): PresenceRow {
  const first = core.destinations.find(({ channel, state }) => channel === "im" && state === "verified");
  const addresses = imagined.map(({ address, show, idleSinceAt }) => [
    address ?? first?.address ?? "",
    { imagined: { show, priority: 0, idleSinceAt: idleSinceAt ?? null, order: 1 } },
  ]);
  return { agentEpoch, addresses: Object.fromEntries(addresses) };
}

/** How the user is imagined to stand at an open page. */
function pageStanding(imagined: readonly ImaginedPresence[]): Situation["pages"] {
  const page = imagined.find(({ address }) => address === PAGE.id);
  return page === undefined ? undefined : { show: page.show, idleSinceAt: page.idleSinceAt ?? null };
}

function decisionView(decision: Decision): CallResult<"simulate">["decisions"][number] {
  const { destination, action, because } = decision;
  return {
    destination: destination.id,
    channel: destination.channel,
    action,
    untilAt: decision.action === "hold" ? decision.untilAt : null,
    because: because.code,
    reason: because.sentence,
  };
}
