/** The suites of the bench, in the order in which they run. */
import type { Tell } from "../run/supervised.ts";
import { measureActivation, seedSleepers } from "./activation.ts";
import { measureAlarms } from "./alarms.ts";
import { measureDecide } from "./decide.ts";
import { measureFanOut } from "./fan-out.ts";
import { measureLargeFanOut, seedFanOut } from "./fan-out-100k.ts";
import { type Figure, figureOf } from "./figures.ts";
import { measureHandOver } from "./hand-over.ts";
import { measureHosts } from "./hosts.ts";
import { hostsStayDead, onStack } from "./installation.ts";
import { measureLatency } from "./latency.ts";
import { watched } from "./loop-delay.ts";
import { measureMails } from "./mails.ts";
import { measureMemory } from "./memory.ts";
import { measurePage } from "./page.ts";
import { measurePolls } from "./polls.ts";
import { measurePublish, unbounded } from "./publish.ts";
import { measurePubsub } from "./pubsub.ts";
import { measureStart } from "./start-1m.ts";
import { measureSustained } from "./sustained.ts";
import { measureTakeover } from "./takeover.ts";

export interface Suite {
  readonly name: string;
  readonly summary: string;
  /** Measures; `tell` hears each step. */
  run(tell: Tell): Promise<Figure[]>;
}

const WITHOUT_CLIENTS = ["avatar-host", "ingest-rss"] as const;

export const SUITES: readonly Suite[] = [
  {
    name: "latency",
    summary: "an item from the queue to a client, alone and under load",
    run: (tell) => onStack(tell, {}, (stack) => measureLatency(tell, stack)),
  },
  {
    name: "publish",
    summary: "a program's POST to a client, and how many are taken in a second",
    run: (tell) => onStack(tell, { adapt: unbounded }, (stack) => measurePublish(tell, stack)),
  },
  {
    name: "page",
    summary: "the page in a browser: its first load, how soon it shows what is new, and how it scrolls",
    run: (tell) => onStack(tell, { adapt: unbounded }, (stack) => measurePage(tell, stack)),
  },
  {
    name: "polls",
    summary: "10,000 feeds on one ingestor: unchanged ones, and 30 KB that are read",
    run: (tell) => onStack(tell, { services: ["ingest-rss"] }, (stack) => measurePolls(tell, stack)),
  },
  {
    name: "mails",
    summary: "mails that are taken in a second, beside a server that discards them",
    run: measureMails,
  },
  {
    name: "sustained",
    summary: "items to ten clients for a minute; memory and event loops meanwhile",
    run: (tell) => onStack(tell, { adapt: watched }, (stack) => measureSustained(tell, stack)),
  },
  {
    name: "hosts",
    summary: "durable deliveries in a second with one avatar host and with two, and what was the limit",
    run: measureHosts,
  },
  {
    name: "takeover",
    summary: "a host is killed, three times: until its avatars answer again",
    run: (tell) =>
      onStack(tell, { services: WITHOUT_CLIENTS, adapt: hostsStayDead }, (stack) =>
        measureTakeover(tell, stack),
      ),
  },
  {
    name: "hand-over",
    summary: "shards given from host to host under load: how long an avatar does not answer",
    run: (tell) => onStack(tell, { services: WITHOUT_CLIENTS }, (stack) => measureHandOver(tell, stack)),
  },
  {
    name: "activation",
    summary: "the first turn of a sleeping avatar, from its file and from DynamoDB",
    run: (tell) =>
      onStack(tell, { services: ["avatar-host"], hosts: 1, prepare: seedSleepers }, (stack, seed) =>
        measureActivation(tell, stack, seed),
      ),
  },
  {
    name: "decide",
    summary: "one routing decision, for a user with 50 subscriptions and 20 rules",
    run: () => measureDecide(),
  },
  {
    name: "alarms",
    summary: "100,000 alarms of one shard, while none is due",
    run: () => measureAlarms(),
  },
  {
    name: "fan-out",
    summary: "one item to 10,000 users, beside ejabberd's mod_pubsub",
    run: measureBothFanOuts,
  },
  {
    name: "fan-out-100k",
    summary: "one item to 100,000 users, and what others notice of it",
    run: (tell) =>
      onStack(tell, { services: ["avatar-host"], prepare: seedFanOut, adapt: watched }, (stack, session) =>
        measureLargeFanOut(tell, stack, session),
      ),
  },
  {
    name: "memory",
    summary: "memory of avatars asleep and awake, with 1,000,000 users",
    run: measureMemory,
  },
  {
    name: "start-1m",
    summary: "start of a host with 1,000,000 sleeping users",
    run: measureStart,
  },
];

async function measureBothFanOuts(tell: Tell): Promise<Figure[]> {
  const durable = await onStack(tell, { services: WITHOUT_CLIENTS }, (stack) => measureFanOut(tell, stack));
  tell("the same with mod_pubsub, which stores nothing");
  const undurable = await onStack(tell, { services: [] }, measurePubsub);
  const ratio = figureOf(durable, "durable deliveries") / figureOf(undurable, "mod_pubsub deliveries");
  return [
    ...undurable,
    ...durable,
    { name: "times mod_pubsub", value: ratio, unit: "", target: { least: 1 } },
  ];
}
