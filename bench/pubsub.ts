/**
 * ejabberd's own mod_pubsub as a yardstick: one item to as many subscribers, across the federation, with nothing stored in
 * a history and nothing acknowledged. The module is loaded for this run alone.
 */
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Bus } from "@tidings/bus";
import { type Element, hostAddress, xml } from "@tidings/protocol";
import type { Stack } from "../run/stack.ts";
import { SUBSCRIBERS } from "./fan-out.ts";
import type { Figure } from "./figures.ts";
import { component } from "./raw-limits.ts";

const NS = "http://jabber.org/protocol/pubsub";
const ROUNDS = 3;
const AT_ONCE = 100;
const MODULE = `
  mod_pubsub:
    host: "pubsub.@HOST@"
    plugins: [flat]
    last_item_cache: false
    max_items_node: 10
`;

/** Subscribes {@link SUBSCRIBERS} addresses of a component on the avatars cluster and publishes items to them. */
export async function measurePubsub(stack: Stack): Promise<Figure[]> {
  await appendFile(join(stack.home, "ejabberd/agents/ejabberd.yml"), MODULE);
  await stack.ejabberd.restart("agents");
  const service = `pubsub.agents.${stack.domain}`;
  const publisher = await component(stack, "agents", `sms.agents.${stack.domain}`);
  const readers = await component(stack, "avatars", hostAddress(stack.domain, "h16"));
  const owner = `bench@${publisher.address}`;
  await ask(publisher, owner, service, xml("pubsub", { xmlns: NS }, xml("create", { node: "bench" })));
  await subscribeAll(readers, service);
  const received = countMessages(readers);
  const times: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const startedAt = performance.now();
    const item = xml(
      "item",
      { id: String(round) },
      xml("entry", { xmlns: "urn:tidings:bench" }, "x".repeat(600)),
    );
    await ask(
      publisher,
      owner,
      service,
      xml("pubsub", { xmlns: NS }, xml("publish", { node: "bench" }, item)),
    );
    await received.reach(SUBSCRIBERS * round);
    times.push(performance.now() - startedAt);
    await pause(1_000);
  }
  await Promise.all([publisher.stop(), readers.stop()]);
  const best = Math.min(...times);
  return [
    {
      name: `mod_pubsub, one item to ${SUBSCRIBERS}`,
      value: best,
      unit: "ms",
      beside: `best of ${ROUNDS}, nothing stored`,
    },
    { name: "mod_pubsub deliveries", value: SUBSCRIBERS / (best / 1_000), unit: "/s" },
  ];
}

async function subscribeAll(readers: Bus, service: string): Promise<void> {
  const next = Array.from({ length: SUBSCRIBERS }, (_, at) => `u${at}@${readers.address}`).values();
  const worker = async () => {
    for (const jid of next) {
      await ask(
        readers,
        jid,
        service,
        xml("pubsub", { xmlns: NS }, xml("subscribe", { node: "bench", jid })),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function ask(bus: Bus, from: string, to: string, child: Element): Promise<Element> {
  return bus.request(xml("iq", { type: "set", from, to }, child), 60_000);
}

function countMessages(bus: Bus) {
  let count = 0;
  let target: { readonly count: number; readonly resolve: () => void } | null = null;
  bus.onStanza((stanza) => {
    if (!stanza.is("message")) return;
    count++;
    if (target !== null && count >= target.count) target.resolve();
  });
  return {
    reach: (wanted: number) =>
      new Promise<void>((resolve) => {
        if (count >= wanted) resolve();
        else target = { count: wanted, resolve };
      }),
  };
}
