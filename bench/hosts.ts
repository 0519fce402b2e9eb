/** Durable deliveries in a second with one avatar host and with two, and what kept them from being more. */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import type { Stack } from "../run/stack.ts";
import type { Tell } from "../run/supervised.ts";
import type { Figure } from "./figures.ts";
import { onStack } from "./installation.ts";
import { cpuMsOf, TICK_MS } from "./processes.ts";
import { limitProcessor } from "./processor-share.ts";
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
  /** Of one core, what each host used, 0 to 1 and a little more: it collects garbage in threads of its own. */
  readonly hostBusy: number;
}

/** A machine of two cores has none for a second host: with so little of one for each, two of them have what they need. */
const SHARE = 0.2;

/** One installation after the other: hosts that have all that the machine gives, then hosts with a share of a core each. */
export async function measureHosts(tell: Tell): Promise<Figure[]> {
  const free = { one: await rateOf(tell, 1), two: await rateOf(tell, 2) };
  const held = { one: await rateOf(tell, 1, SHARE), two: await rateOf(tell, 2, SHARE) };
  return [...figuresOf("", free), ...figuresOf(`, ${percent(SHARE)} of a core each`, held)];
}

function figuresOf(how: string, { one, two }: { readonly one: Rate; readonly two: Rate }): Figure[] {
  const busy = `${percent(one.busy)} and ${percent(two.busy)} of ${cpus().length} cores in use`;
  const hosts = `each host used ${percent(one.hostBusy)} and ${percent(two.hostBusy)} of a core`;
  const isFull = two.busy >= FULL;
  const limit = isFull
    ? "the limit was the processor, there are no cores for a second host"
    : "the limit was not the processor";
  return [
    { name: `durable deliveries with one host${how}`, value: one.perSecond, unit: "/s" },
    { name: `durable deliveries with two hosts${how}`, value: two.perSecond, unit: "/s" },
    {
      name: `two hosts by one${how}`,
      value: two.perSecond / one.perSecond,
      unit: "×",
      ...(isFull ? {} : { target: { least: 1.7 } }),
      beside: `${limit}: ${busy}, ${hosts}`,
    },
  ];
}

/** `share`: of a core, for each host. */
function rateOf(tell: Tell, hosts: number, share?: number): Promise<Rate> {
  return onStack(tell, { hosts }, async (stack) => {
    const queue = await connectQueue({ url: stack.amqpUrl, log: silentLog() });
    const people = await openPeople(stack, queue);
    const withShare = share === undefined ? "" : ` with ${percent(share)} of a core each`;
    tell(`${hosts} ${hosts === 1 ? "host" : "hosts"}${withShare}: as many items as go through`);
    await load(tell, people, WARM_MS);
    const pids = pidsOfHosts(stack, hosts);
    const letGo = share === undefined ? null : limitProcessor(pids, share);
    await pause(1_000);
    const before = processorTime(pids);
    const { perSecond } = await load(tell, people, LASTS_MS);
    const after = processorTime(pids);
    await letGo?.();
    for (const { stop } of people) await stop();
    await queue.stop();
    const allMs = after.allMs - before.allMs;
    return {
      perSecond,
      busy: (after.busyMs - before.busyMs) / allMs,
      hostBusy: ((after.hostsMs - before.hostsMs) / allMs) * (cpus().length / hosts),
    };
  });
}

function pidsOfHosts(stack: Stack, hosts: number): number[] {
  return Array.from({ length: hosts }, (_, at) => stack.service(`avatar-host-h${at + 1}`).pid).filter(
    (pid) => pid !== null,
  );
}

/**
 * Of all cores since the machine began, and of the hosts: proc(5), /proc/stat, in ticks; the fourth and fifth figures are idle
 * and waiting for disks.
 */
function processorTime(hosts: readonly number[]) {
  const [line = ""] = readFileSync("/proc/stat", "utf8").split("\n", 1);
  const figures = line.trim().split(/\s+/).slice(1, 9).map(Number);
  const all = figures.reduce((sum, figure) => sum + figure, 0);
  const busy = all - (figures[3] ?? 0) - (figures[4] ?? 0);
  return {
    allMs: all * TICK_MS,
    busyMs: busy * TICK_MS,
    hostsMs: hosts.reduce((sum, pid) => sum + cpuMsOf(pid), 0),
  };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
