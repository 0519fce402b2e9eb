/** Why a destination is used, waited for or left out: a code for programs, and one sentence for people. */
import type { Priority, ReasonCode } from "@tidings/protocol";

export interface Reason {
  readonly code: ReasonCode;
  readonly sentence: string;
}

const at = (time: number) => new Date(time).toISOString();
const because = (code: ReasonCode, sentence: string): Reason => ({ code, sentence });

export const reasons = {
  reachable: (address: string, show: string) => because("reachable", `${address} is ${show}`),
  nextRung: (address: string, before: Reason | null) =>
    because("nextRung", `${address} is next${before === null ? "" : `, as ${before.sentence}`}`),
  bundled: (address: string, what: string) => because("bundled", `${address} gets it in the ${what}`),
  offline: (address: string) => because("offline", `${address} is offline`),
  noPage: () => because("offline", "no page is open that can show it"),
  unmet: (address: string, show: string) =>
    because("unmet", `${address} waits: the user is ${show}, and the ladder asks for something else`),
  retrying: (address: string, untilAt: number) =>
    because("retrying", `${address} is tried again at ${at(untilAt)}`),
  inLine: () => because("inLine", "in line behind earlier ones"),
  wait: (untilAt: number) => because("wait", `the ladder waits until ${at(untilAt)}`),
  unconfirmed: (address: string, proof: "received" | "acked", untilAt: number) =>
    because("unconfirmed", `needed only when ${address} has not ${spoken[proof]} by ${at(untilAt)}`),
  notInTime: (address: string, proof: "received" | "acked") =>
    because("nextRung", `${address} has not ${spoken[proof]} in time`),
  paused: (untilAt: number) => because("paused", `paused until ${at(untilAt)}`),
  snoozed: (untilAt: number) => because("snoozed", `snoozed until ${at(untilAt)}`),
  quiet: (untilAt: number) => because("quiet", `quiet hours until ${at(untilAt)}`),
  digest: (untilAt: number) => because("digest", `waits for the digest at ${at(untilAt)}`),
  burst: (untilAt: number) =>
    because("burst", `one of many from this source; they come together at ${at(untilAt)}`),
  heldDigest: (untilAt: number) =>
    because("heldDigest", `goes with the digest at ${at(untilAt)} if it is still held`),
  reachedElsewhere: (address: string) => because("reachedElsewhere", `reached at ${address}`),
  offlineButReached: (address: string, where: string) =>
    because("reachedElsewhere", `${address} is offline; reached at ${where}`),
  acted: (address: string) => because("acted", `the user has acted on it at ${address}`),
  acknowledged: () => because("acted", "the user has acknowledged it"),
  filtered: () => because("filtered", "the subscription's filter does not let it through"),
  muted: (by: string | null) =>
    because("muted", by === null ? "the subscription is muted" : `muted by the rule "${by}"`),
  duplicate: (of: string) => because("duplicate", `the same as ${of}, which came before`),
  notOnLadder: (priority: Priority) =>
    because("notOnLadder", `not on the ladder of a notification with priority ${priority}`),
  smsBudget: (most: number) =>
    because("smsBudget", `today's ${most} SMS are kept for what is more urgent, or used up`),
} as const;

const spoken = { received: "confirmed it", acked: "acted on it" } as const;
