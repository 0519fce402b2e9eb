/** What programs publish: from the POST to the stanza at a real client, and how many are taken in a second. */
import { setTimeout as pause } from "node:timers/promises";
import type { Stack } from "../run/stack.ts";
import type { ProcessSpec, Tell } from "../run/supervised.ts";
import { listen, onlineUser, post } from "./client.ts";
import { type Figure, figureOf, percentile } from "./figures.ts";
import { measureConfirms } from "./raw-limits.ts";

const QUIET_POSTS = 300;
const QUIET_EVERY_MS = 25;
const LOADED_POSTS = 5_000;
const AT_A_TIME = 64;

/** web-api without the bound for one token. */
export function unbounded(spec: ProcessSpec): ProcessSpec {
  if (spec.name !== "web-api") return spec;
  return { ...spec, env: { ...spec.env, TIDINGS_PUBLISHES_PER_MINUTE: "10000000" } };
}

/** Signs a user up with a client and a publisher, and measures both. */
export async function measurePublish(tell: Tell, stack: Stack): Promise<Figure[]> {
  tell("measuring the raw limits of the way");
  const raw = await measureConfirms(stack);
  const { client, token } = await onlineUser(stack, "publisher");
  const { url } = await post<{ url: string }>(stack, "/v1/publishers", { title: "bench" }, token);
  const arrivals = listen(client);
  const send = async (title: string): Promise<string> => {
    const answer = await fetch(url, { method: "POST", body: title });
    if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
    return ((await answer.json()) as { items: [{ id: string }] }).items[0].id;
  };
  tell(`posting ${QUIET_POSTS} messages, one after the other`);
  const latencies: number[] = [];
  for (let number = 0; number < QUIET_POSTS; number++) {
    const beganAt = performance.now();
    latencies.push((await arrivals.of(await send(`message ${number}`))) - beganAt);
    await pause(QUIET_EVERY_MS);
  }
  tell(`posting ${LOADED_POSTS} messages, ${AT_A_TIME} at a time`);
  const startedAt = performance.now();
  let left = LOADED_POSTS;
  const ids: string[] = [];
  const worker = async () => {
    while (left-- > 0) ids.push(await send(`message ${QUIET_POSTS + left}`));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  const perSecond = LOADED_POSTS / ((performance.now() - startedAt) / 1_000);
  await Promise.all(ids.map((id) => arrivals.of(id)));
  await client.stop();
  return [
    ...raw,
    { name: "curl to client, idle p50", value: percentile(latencies, 0.5), unit: "ms", target: { most: 30 } },
    { name: "curl to client, idle p99", value: percentile(latencies, 0.99), unit: "ms" },
    {
      name: "durable publishes",
      value: perSecond,
      unit: "/s",
      raw: figureOf(raw, "publish confirms"),
      beside: `raw: publish confirms; each is a request, ${AT_A_TIME} at a time, and the client hears them all`,
    },
  ];
}
