/** Somebody with an account, a recording client and feeds; all requests are repeated until they are answered well. */
import { eventually, type Patience } from "@tidings/testkit";
import { type Answer, Rest, wellDone } from "../theatre/rest.ts";
import type { HistoryEntry } from "./invariants.ts";
import type { NumberedFeed } from "./numbered-feed.ts";
import { Recorder } from "./recorder.ts";

/** One step in the trace of a notification. */
export interface TraceEntry {
  /** RFC 3339. */
  readonly at: string;
  readonly state: string | null;
  readonly what: string;
}

export interface SubscriberSettings {
  readonly name: string;
  readonly webUrl: string;
  readonly domain: string;
  /** Client listener of the users cluster. */
  readonly clientUrl: string;
}

const PATIENCE: Patience = { withinMs: 90_000 };

export class Subscriber {
  readonly name: string;
  readonly client: Recorder;
  readonly #rest: Rest;
  /** Feeds that they follow, with the subscription's id. */
  readonly feeds = new Map<NumberedFeed, string>();
  readonly #titles = new Map<string, string>();

  private constructor({ name, webUrl, domain, clientUrl }: SubscriberSettings, token: string) {
    this.name = name;
    this.#rest = new Rest(webUrl, token);
    this.client = new Recorder({ url: clientUrl, domain, username: name, password: passwordOf(name) });
  }

  /** Signs up and opens a session. */
  static async signsUp(settings: SubscriberSettings): Promise<Subscriber> {
    const { name, webUrl } = settings;
    const outside = new Rest(webUrl);
    const account = { name, password: passwordOf(name) };
    // Taken = an earlier try has come through, and its answer was lost: the log-in will tell.
    await untilAnswered(() => outside.post("/v1/users", account), [409]);
    const { token } = (await untilAnswered(() => outside.post("/v1/sessions", account))) as { token: string };
    return new Subscriber(settings, token);
  }

  /** Resolves when later items of `feed` are news to them. */
  async follows(feed: NumberedFeed): Promise<void> {
    const { id } = await untilAnswered(() => this.#rest.post("/v1/subscriptions", { url: feed.url }));
    this.feeds.set(feed, id);
    await eventually(async () => {
      const { state } = await wellDone(await this.#rest.get(`/v1/subscriptions/${id}`));
      if (state !== "active") throw new Error(`${this.name}'s subscription to ${feed.name} is ${state}`);
    }, PATIENCE);
  }

  /** A publisher of theirs, with the address to post to. */
  publisher(title: string): Promise<{ readonly url: string }> {
    return untilAnswered(() => this.#rest.post("/v1/publishers", { title }));
  }

  async leaves(feed: NumberedFeed): Promise<void> {
    await untilAnswered(() => this.#rest.delete(`/v1/subscriptions/${this.feeds.get(feed)}`), [404]);
  }

  /** Resolves when their avatar has seen that they are there. */
  async isSeen(): Promise<void> {
    await eventually(async () => {
      if (wellDone(await this.#rest.get("/v1/me")).presence.length === 0)
        throw new Error(`${this.name}'s avatar has not seen them`);
    }, PATIENCE);
  }

  /** Their presence as their avatar knows it. */
  async presence(): Promise<unknown> {
    return (await untilAnswered(() => this.#rest.get("/v1/me"))).presence;
  }

  /** Their whole history, newest first. */
  history(): Promise<HistoryEntry[]> {
    return this.#historyUntil(() => false);
  }

  /** What the delivery of the notification `id` to their IM account went through, as its trace has it. */
  async trace(id: string): Promise<TraceEntry[]> {
    const { trace } = (await untilAnswered(() => this.#rest.get(`/v1/history/${id}`))) as {
      trace: (TraceEntry & { destination: string })[];
    };
    return trace.filter(({ destination }) => destination === "im");
  }

  /** Titles of all that has been in their history, now or at an earlier call: only what is new is asked for. */
  async titlesSoFar(): Promise<Iterable<string>> {
    const entries = await this.#historyUntil((page) => page.some(({ id }) => this.#titles.has(id)));
    for (const { id, title } of entries) this.#titles.set(id, title);
    return this.#titles.values();
  }

  /** The history's pages, newest first, up to the one that is the last. */
  async #historyUntil(isLast: (page: readonly HistoryEntry[]) => boolean): Promise<HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? "" : `&cursor=${cursor}`;
      const page: { items: HistoryEntry[]; next: string | null } = await untilAnswered(() =>
        this.#rest.get(`/v1/history?limit=200${query}`),
      );
      entries.push(...page.items.map(({ id, title, source, state }) => ({ id, title, source, state })));
      cursor = isLast(page.items) ? null : page.next;
    } while (cursor !== null);
    return entries;
  }

  /** Goes offline and erases everything of theirs. */
  async vanishes(): Promise<void> {
    await this.client.goesOffline();
    await untilAnswered(() => this.#rest.delete("/v1/me"), [401, 404]);
  }
}

function passwordOf(name: string): string {
  return `open sesame ${name}`;
}

/** The body of the first answer below 400, or with one of the statuses `also`; asks again as long as it takes, up to 90 s. */
async function untilAnswered(
  ask: () => Promise<Answer>,
  also: readonly number[] = [],
): Promise<Answer["body"]> {
  return eventually(async () => {
    const answer = await ask();
    return also.includes(answer.status) ? answer.body : wellDone(answer);
  }, PATIENCE);
}
