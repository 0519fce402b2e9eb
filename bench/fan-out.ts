/**
 * One item to many user avatars, durable in each history. The bench stands in for web-api to sign the users up. All are
 * offline, so the item is held for each. It is durable in every history when no shard waits for an acknowledgement any
 * more; afterwards every history is asked for it.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { Bus } from "@tidings/bus";
import { hostAddress, NS_BUS, NS_JSON, payload, xml } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import type { Figure } from "./figures.ts";
import { component } from "./raw-limits.ts";
import { signUp } from "./sign-up.ts";
import { benchSource } from "./source.ts";

export const SUBSCRIBERS = 10_000;
const AT_ONCE = 100;
const ROUNDS = 3;

/** Signs up {@link SUBSCRIBERS} users, subscribes all to one source, and tells them items. */
export async function measureFanOut(tell: Tell, stack: Stack): Promise<Figure[]> {
  const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
  const source = await benchSource(queue, "fan-out");
  const web = await component(stack, "agents", `web.agents.${stack.domain}`);
  tell(`signing ${SUBSCRIBERS} users up`);
  const users = Array.from({ length: SUBSCRIBERS }, (_, at) => `fan${at}`);
  const sessions = new Map<string, string>();
  await inParallel(users, async (user) => {
    sessions.set(user, await signUp(web, stack.domain, user, source.url));
  });
  const times: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    await allAcknowledged(web, stack.domain);
    tell(`telling them an item, round ${round} of ${ROUNDS}`);
    const id = await source.publish(round);
    const startedAt = performance.now();
    while ((await newest(web, stack.domain, sessions)) !== id) await pause(5);
    await allAcknowledged(web, stack.domain);
    times.push(performance.now() - startedAt);
    const holders = await countHolders(web, stack.domain, sessions, id);
    if (holders !== SUBSCRIBERS) throw new Error(`${holders} of ${SUBSCRIBERS} histories hold the item`);
    await pause(2_000);
  }
  await Promise.all([web.stop(), source.close(), queue.stop()]);
  const best = Math.min(...times);
  return [
    {
      name: `one item, ${SUBSCRIBERS} durable histories`,
      value: best,
      unit: "ms",
      beside: `best of ${ROUNDS}`,
    },
    { name: "durable deliveries", value: SUBSCRIBERS / (best / 1_000), unit: "/s" },
  ];
}

/** The newest item in the history of one of the users: the source has begun to tell it. */
async function newest(
  web: Bus,
  domain: string,
  sessions: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const [user, session] = sessions.entries().next().value ?? ["", ""];
  const args = { limit: 1, cursor: null, source: null, q: null, state: null };
  const to = `${user}@s1.avatars.${domain}`;
  const { items } = await web.call({ from: web.address, to, name: "history", args, authority: { session } });
  return items[0]?.id;
}

/** Resolves when no host waits for an acknowledgement: acknowledgements leave when the receivers' journals have the commit. */
async function allAcknowledged(web: Bus, domain: string): Promise<void> {
  let waiting = 1;
  while (waiting > 0) {
    const hosts = await Promise.all(
      ["h1", "h2"].map((host) => framesWaiting(web, hostAddress(domain, host))),
    );
    await pause(3);
    waiting = hosts.reduce((sum, count) => sum + count, 0);
  }
}

async function framesWaiting(web: Bus, host: string): Promise<number> {
  const answer = await web.request(
    xml("iq", { type: "get", from: web.address, to: host }, payload("status", {})),
  );
  const status = JSON.parse(answer.getChild("status", NS_BUS)?.getChildText("json", NS_JSON) ?? "{}") as {
    framesWaiting: number;
  };
  return status.framesWaiting;
}

/** How many of the users have the item with this id in their history. */
async function countHolders(
  web: Bus,
  domain: string,
  sessions: ReadonlyMap<string, string>,
  id: string,
): Promise<number> {
  let holders = 0;
  await inParallel([...sessions], async ([user, session]) => {
    const to = `${user}@s1.avatars.${domain}`;
    const item = await web.call({
      from: web.address,
      to,
      name: "historyItem",
      args: { id },
      authority: { session },
    });
    if (item.id === id) holders++;
  });
  return holders;
}

async function inParallel<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const next = all.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const one of next) await work(one);
    }),
  );
}
