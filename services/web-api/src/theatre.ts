/** A whole web-api in memory, for tests: the application with stand-ins for everything that it asks. */
import { MemoryExchange } from "@tidings/bus";
import { addressesOf, type LookupAnswer, QUEUES } from "@tidings/protocol";
import { MemoryBroker } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { type AppSettings, createApp } from "./app.ts";
import type { App } from "./parts.ts";
import { StandInAccounts, StandInAvatars } from "./stand-in-avatars.ts";

export const PASSWORD = "correct horse battery";
export const OPERATOR = "the-operators-token";
export const FEED = "https://feeds.example/rooms.xml";

export interface Theatre {
  readonly app: App;
  readonly avatars: StandInAvatars;
  readonly accounts: StandInAccounts;
  readonly broker: MemoryBroker;
  /** What an ingestor finds at any address. */
  lookupAnswer: LookupAnswer;
  /** The addresses that were looked up. */
  readonly lookedUp: string[];
  /** Signs `name` up and in; the token. */
  signIn(name: string): Promise<string>;
}

export const FOUND: LookupAnswer = {
  found: true,
  url: FEED,
  title: "Rooms",
  items: [
    {
      id: "0123456789abcdef0123456789abcdef",
      title: "Two rooms, quiet street",
      link: "https://feeds.example/1",
      summary: null,
      author: null,
      publishedAt: 1_000,
    },
  ],
};

/** A theatre of its own for each test; `settings` replace those of the application. */
export async function openTheatre(settings: Partial<AppSettings> = {}): Promise<Theatre> {
  const addresses = addressesOf("tidings.test");
  const exchange = new MemoryExchange();
  const bus = exchange.connect(addresses.web);
  const avatars = new StandInAvatars(exchange.connect(addresses.silo), addresses);
  const accounts = new StandInAccounts(exchange.connect(addresses.users));
  const broker = new MemoryBroker();
  await new Promise<void>((resolve) => bus.onOnline(resolve));
  const app = await createApp({
    addresses,
    bus,
    queue: broker.connect(),
    checkPassword: async (name, password) => accounts.check(name, password),
    signUpsPerMinute: 100,
    publishesPerMinute: 1_000,
    mailDomain: "in.tidings.test",
    hubKey: "the key of hubs",
    trustedProxies: [],
    operatorToken: OPERATOR,
    log: silentLog(),
    ...settings,
  });
  const theatre: Theatre = {
    app,
    avatars,
    accounts,
    broker,
    lookupAnswer: FOUND,
    lookedUp: [],
    signIn: (name) => signIn(app, name),
  };
  await broker.connect().consume(QUEUES.lookup, 1, (delivery) => {
    theatre.lookedUp.push(JSON.parse(delivery.body).url);
    delivery.reply(JSON.stringify(theatre.lookupAnswer));
  });
  return theatre;
}

async function signIn(app: App, name: string): Promise<string> {
  const payload = { name, password: PASSWORD };
  await app.inject({ method: "POST", url: "/v1/users", payload });
  const answer = await app.inject({ method: "POST", url: "/v1/sessions", payload });
  return answer.json().token;
}
