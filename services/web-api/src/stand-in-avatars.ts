/** User avatars and the users cluster as web-api meets them, in memory, for tests. They answer over a bus like the real ones. */
import type { MemoryBus } from "@tidings/bus";
import {
  type Addresses,
  answerStanza,
  busChild,
  CALLS,
  type CallBody,
  CallError,
  type CallName,
  check,
  DEFAULT_RULES,
  type DeadLetterView,
  type DestinationView,
  type Element,
  errorElement,
  feedSource,
  type HistoryItem,
  type InboxView,
  type PublisherStanding,
  type PublisherView,
  type RulesView,
  readCall,
  readRules,
  refusalStanza,
  type SubscriptionView,
  shardOf,
  splitJid,
  xml,
} from "@tidings/protocol";

export interface StandInUser {
  state: "creating" | "there";
  sessions: Set<string>;
  subscriptions: Map<string, SubscriptionView>;
  destinations: Map<string, DestinationView>;
  history: HistoryItem[];
  publishers: PublisherView[];
  inboxes: InboxView[];
  rules: RulesView;
  /** The secret in the address of the private feed. */
  feed: string | null;
}

/** Everything that was asked for, so that a test can look at it. */
export interface AskedCall extends CallBody {
  readonly user: string;
}

export class StandInAvatars {
  readonly users = new Map<string, StandInUser>();
  readonly asked: AskedCall[] = [];
  /** A call of this name is refused with the error, as often as it is made. */
  readonly refusals = new Map<string, CallError>();
  readonly deadLetters: DeadLetterView[] = [];
  /** How sources of publishers stand, by their localparts. */
  readonly publishers = new Map<string, PublisherStanding>();
  /** Feeds of which hubs may send, by the localparts of their sources. */
  readonly hubTopics = new Map<string, string>();
  readonly #addresses: Addresses;
  readonly #answers = new Map<string, unknown>();
  #sessions = 0;

  constructor(bus: MemoryBus, addresses: Addresses) {
    this.#addresses = addresses;
    bus.onStanza((stanza) => void bus.send(this.#answerTo(stanza)));
  }

  #answerTo(stanza: Element): Element {
    const { from, to, id } = stanza.attrs as Record<"from" | "to" | "id", string>;
    try {
      const body = readCall(busChild(stanza) as Element);
      return answerStanza(to, from, id, this.#answer(splitJid(to).local, body));
    } catch (error) {
      const refusal =
        error instanceof CallError ? error : new CallError("modify", "bad-request", String(error));
      return refusalStanza(to, from, id, refusal);
    }
  }

  #answer(user: string, body: CallBody): unknown {
    const name = body.name as CallName;
    this.asked.push({ ...body, user });
    const args = check(CALLS[name].args, body.args, name) as Record<string, string>;
    const refusal = this.refusals.get(name);
    if (refusal !== undefined) throw refusal;
    const known = body.op === null ? undefined : this.#answers.get(body.op);
    if (known !== undefined) return known;
    if (CALLS[name].may === "operator") return this.#asShard(Number(user.slice(1)), name, args);
    const answer =
      CALLS[name].may === "user" ? this.#asUser(user, body, args) : this.#asService(user, name, args);
    if (body.op !== null) this.#answers.set(body.op, answer);
    return answer;
  }

  #asShard(
    shard: number,
    name: CallName,
    { id, after, limit }: Record<string, string | number | null>,
  ): unknown {
    const theirs = this.deadLetters.filter(({ owner }) => shardOf(owner) === shard);
    if (name === "deadLetters") {
      const start = theirs.findIndex((letter) => letter.id === after) + 1;
      return { items: theirs.slice(start, start + Number(limit)) };
    }
    const at = this.deadLetters.findIndex((letter) => letter.id === id);
    if (at < 0) throw notFound();
    this.deadLetters.splice(at, 1);
    return {};
  }

  #asService(user: string, name: CallName, args: Record<string, string>): unknown {
    if (name === "publisherStanding") return { standing: this.publishers.get(user) ?? "unknown" };
    if (name === "pollStanding")
      return { knows: true, nextAt: 60_000, newestAt: null, failures: 0, isPushed: false };
    if (name === "hubTopic") return { url: this.hubTopics.get(user) ?? null };
    if (name === "hubIntent") return { agreed: args.topic === this.hubTopics.get(user) };
    if (name === "addressStanding") return { standing: "noUser" };
    const there = this.users.get(user);
    if (name === "beginSignUp") {
      if (there?.state === "there") throw new CallError("cancel", "conflict", "The name is taken.");
      this.users.set(user, there ?? newUser());
      return { state: "creating" };
    }
    if (there === undefined) throw notFound();
    if (name === "finishSignUp") {
      there.state = "there";
      return this.#profile(user);
    }
    if (there.state !== "there") throw notFound();
    if (name === "feed") {
      if (there.feed === null || there.feed !== args.secret) throw notFound();
      return { items: there.history };
    }
    this.#sessions += 1;
    const session = `secret-${this.#sessions}-of-${user}`;
    there.sessions.add(session);
    return { session, untilAt: Date.UTC(2030, 0, 1) };
  }

  #asUser(name: string, { name: call, authority }: CallBody, args: Record<string, string>): unknown {
    const user = this.users.get(name);
    const session = authority !== null && "session" in authority ? authority.session : "";
    if (!user?.sessions.has(session)) throw new CallError("auth", "not-authorized", "The session is over.");
    switch (call as CallName) {
      case "profile":
        return this.#profile(name);
      case "closeSession":
        user.sessions.delete(session);
        return {};
      case "erase":
        this.users.delete(name);
        return {};
      case "exportAll":
        return args.cursor === null
          ? { rows: [{ key: "profile", value: { name } }], next: "2" }
          : { rows: [{ key: "history/1", value: "…" }], next: null };
      default:
        return answerAboutThings(user, call, args);
    }
  }

  #profile(name: string) {
    const { users, im } = this.#addresses;
    const presence = [
      { address: `${name}@${users}`, resource: "phone", show: "away", priority: 5, idleSinceAt: 60_000 },
    ];
    const limits = { subscriptions: 200, destinations: 20 };
    return {
      name,
      jid: `${name}@${users}`,
      agent: `${name}@${im}`,
      createdAt: 1_000,
      pausedUntilAt: null,
      presence,
      limits,
      zone: "UTC",
      inbox: "k3xq7ynd2mzt5w6rjv4h",
    };
  }
}

/** The users cluster: makes and removes accounts, and knows their passwords. */
export class StandInAccounts {
  readonly passwords = new Map<string, string>();

  constructor(bus: MemoryBus) {
    bus.onStanza((stanza) => void bus.send(this.#answerTo(stanza)));
  }

  check(name: string, password: string): boolean {
    return this.passwords.get(name) === password;
  }

  #answerTo(stanza: Element): Element {
    const { from, to, id } = stanza.attrs;
    const child = busChild(stanza) as Element;
    const { name = "", password = "" } = child.attrs as Record<string, string | undefined>;
    if (child.name === "remove-account") this.passwords.delete(name);
    else if (this.passwords.has(name)) {
      const conflict = new CallError("cancel", "conflict", "The account exists.");
      return xml("iq", { type: "error", from: to, to: from, id }, errorElement(conflict));
    } else this.passwords.set(name, password);
    return xml("iq", { type: "result", from: to, to: from, id });
  }
}

function newUser(): StandInUser {
  return {
    state: "creating",
    sessions: new Set(),
    subscriptions: new Map(),
    destinations: new Map(),
    history: [],
    publishers: [],
    inboxes: [],
    rules: { version: 0, rules: DEFAULT_RULES },
    feed: null,
  };
}

function notFound(): CallError {
  return new CallError("cancel", "item-not-found", "There is nothing of that id.");
}

function found<T>(things: ReadonlyMap<string, T>, id: string | undefined): T {
  const thing = things.get(id ?? "");
  if (thing === undefined) throw notFound();
  return thing;
}

function answerAboutThings(user: StandInUser, call: string, args: Record<string, string>): unknown {
  switch (call as CallName) {
    case "subscriptions":
      return { items: [...user.subscriptions.values()] };
    case "subscribe":
      return subscribe(user, args);
    case "subscription":
      return found(user.subscriptions, args.id);
    case "changeSubscription":
      return Object.assign(found(user.subscriptions, args.id), args);
    case "unsubscribe":
      found(user.subscriptions, args.id);
      user.subscriptions.delete(args.id ?? "");
      return {};
    case "history":
      return { items: user.history, next: args.cursor === null ? "next-page" : null };
    case "historyItem": {
      const item = found(new Map(user.history.map((entry) => [entry.id, entry])), args.id);
      return {
        ...item,
        trace: [{ at: 5_000, destination: "d1", state: "handed", what: "handed to the server" }],
      };
    }
    case "publishers":
      return { items: user.publishers };
    case "addPublisher":
      user.publishers.push({
        id: "push.1",
        token: "tdp_1",
        secret: "whsec_1",
        createdAt: 1_000,
        title: args.title ?? "",
      });
      return user.publishers.at(-1);
    case "removePublisher":
      found(new Map(user.publishers.map((one) => [one.id, one])), args.id);
      user.publishers.length = 0;
      return {};
    case "inboxes":
      return { items: user.inboxes };
    case "addInbox":
      user.inboxes.push({ id: "mail.1", local: "a".repeat(20), createdAt: 1_000, title: args.title ?? "" });
      return user.inboxes.at(-1);
    case "removeInbox":
      found(new Map(user.inboxes.map((one) => [one.id, one])), args.id);
      user.inboxes.length = 0;
      return {};
    case "rotateFeed":
      user.feed = `feed-secret-${Number(user.feed?.split("-").at(-1) ?? 0) + 1}`;
      return { secret: user.feed, createdAt: 1_000 };
    case "feedLink":
      return { secret: user.feed, createdAt: user.feed === null ? null : 1_000 };
    case "endFeed":
      user.feed = null;
      return {};
    case "markRead":
    case "acknowledge":
    case "snooze":
    case "redeliver":
    case "reply":
      return acts(user, call as "snooze", args.id);
    case "rules":
      return user.rules;
    case "putRules":
      return putRules(user, args);
    case "simulate":
      return SIMULATION;
    case "destinations":
      return { items: [...user.destinations.values()] };
    case "addDestination":
      return addDestination(user, args);
    case "verifyDestination":
      return verifyDestination(user, args);
    case "testDestination":
      return found(user.destinations, args.id);
    default:
      found(user.destinations, args.id);
      user.destinations.delete(args.id ?? "");
      return {};
  }
}

const SIMULATION = {
  at: 1_000,
  priority: "high",
  rule: "fire",
  decisions: [
    {
      destination: "im",
      channel: "im",
      action: "hold",
      untilAt: 2_000,
      because: "quiet",
      reason: "quiet hours",
    },
  ],
};

/** The document itself is read as the real one is. */
function putRules(user: StandInUser, args: Record<string, unknown>): unknown {
  const { version } = user.rules;
  if (args.ifVersion !== null && args.ifVersion !== version) return { outcome: "stale", version };
  const { rules, problems } = readRules(args.rules, { destinations: [], subscriptions: [] });
  if (rules === null) return { outcome: "refused", problems };
  user.rules = { version: version + 1, rules };
  return { outcome: "stored", version: version + 1 };
}

function subscribe(
  user: StandInUser,
  { url = "", title, priority, filter = null, edits = false }: Record<string, string | boolean | null>,
): unknown {
  const id = feedSource(String(url));
  const created = !user.subscriptions.has(id);
  const fresh = {
    id,
    source: url,
    title: title ?? "A feed",
    state: "active",
    problem: null,
    filter,
    edits,
    createdAt: 1_000,
  };
  if (created) user.subscriptions.set(id, { ...fresh, priority: priority ?? "default" } as SubscriptionView);
  return { created, subscription: user.subscriptions.get(id) };
}

function addDestination(user: StandInUser, { channel, address = "" }: Record<string, string>): unknown {
  const id = `d${user.destinations.size + 1}`;
  const code = channel === "im" ? "482913" : null;
  const open = { state: "unverified", code, codeUntilAt: 600_000, problem: null } as const;
  const destination = { id, channel: channel as "im", address, ...open };
  user.destinations.set(id, destination);
  return { created: true, destination };
}

function acts(
  user: StandInUser,
  name: "markRead" | "acknowledge" | "snooze" | "redeliver" | "reply",
  id?: string,
): unknown {
  const item = found(new Map(user.history.map((entry) => [entry.id, entry])), id);
  const state = (
    {
      markRead: "read",
      acknowledge: "acked",
      snooze: "snoozed",
      redeliver: "dispatched",
      reply: "acked",
    } as const
  )[name];
  return { ...item, state, trace: [] };
}

function verifyDestination(user: StandInUser, { id = "", code }: Record<string, string>): unknown {
  const row = found(user.destinations, id);
  if (code !== "482913")
    throw new CallError("modify", "not-acceptable", "This code is wrong or out of date.");
  const verified = { ...row, state: "verified", code: null, codeUntilAt: null } as const;
  user.destinations.set(id, verified);
  return verified;
}
