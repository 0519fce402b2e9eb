/** Durable deliveries in a second with one avatar host and with two, and what kept them from being more. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import type { Tell } from "../run/supervised.ts";
import type { Figure } from "./figures.ts";
import { onStack } from "./installation.ts";
import { load, openPeople } from "./sustained.ts";

const LASTS_MS = 30_000;
/** What is loaded and compiled at first is not measured. */
const WARM_MS = 10_000;
/** Where the processor works so much of the time it is the limit. */
const FULL = 0.9;

interface Rate {
  readonly perSecond: number;
  /** Share of the machine's cores that worked meanwhile, 0 to 1. */
  readonly busy: number;
}

/** One installation after the other. */
export async function measureHosts(tell: Tell): Promise<Figure[]> {
  const one = await rateOf(tell, 1);
  const two = await rateOf(tell, 2);
  const cores = cpus().length;
  const ratio = two.perSecond / one.perSecond;
  const busy = `${Math.round(one.busy * 100)} % and ${Math.round(two.busy * 100)} % of ${cores} cores in use`;
  const limit =
    one.busy >= FULL
      ? `the limit was the processor: ${busy}, so there are no cores for a second host`
      : `the limit was not the processor: ${busy}`;
  return [
    { name: "durable deliveries with one host", value: one.perSecond, unit: "/s" },
    { name: "durable deliveries with two hosts", value: two.perSecond, unit: "/s" },
    { name: "two hosts by one", value: ratio, unit: "×", target: { least: 1.7 }, beside: limit },
  ];
}

function rateOf(tell: Tell, hosts: number): Promise<Rate> {
  return onStack(tell, { hosts }, async (stack) => {
    const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
    const people = await openPeople(stack, queue);
    tell(`${hosts} ${hosts === 1 ? "host" : "hosts"}: as many items as go through`);
    await load(tell, people, WARM_MS);
    await pause(1_000);
    const before = processorTime();
    const { perSecond } = await load(tell, people, LASTS_MS);
    const after = processorTime();
    for (const { stop } of people) await stop();
    await queue.stop();
    return { perSecond, busy: (after.busy - before.busy) / (after.all - before.all) };
  });
}

/** Of all cores since the machine began: proc(5), /proc/stat, the fourth and fifth figures are idle and waiting for disks. */
function processorTime(): { readonly busy: number; readonly all: number } {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const figures = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = figures.reduce((sum, figure) => sum + figure, 0);
  return { all, busy: all - (figures[3] ?? 0) - (figures[4] ?? 0) };
}
