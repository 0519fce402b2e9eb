/**
 * A line at level debug wherever a notification passes, each with its id as `trace`: 32 hexadecimal digits, which is what a
 * trace id is (W3C Trace Context, §3.2.2.3). Nothing is looked at below that level.
 */

import type { AvatarEvent, DeliveryReport, Report } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { Cause } from "./stimulus.ts";
import type { AgentDispatch, Turn } from "./turn.ts";

/** `turn` was given for `cause`, and is not durable yet. */
export function traceTurn(log: Log, turn: Turn, cause: Cause): void {
  if (!log.isLevelEnabled("debug")) return;
  const { avatar } = turn;
  if (cause.kind === "event" && cause.event.type === "notified")
    log.debug({ trace: cause.event.notification.id, user: avatar, source: cause.from }, "notification told");
  if (cause.kind === "reports")
    for (const { notification, state, destination } of cause.reports.filter(isDelivery))
      log.debug({ trace: notification, user: avatar, destination, state }, "report taken");
  for (const { event, to } of turn.told) traceTold(log, avatar, event, to.length);
  for (const reason of turn.reasons) log.debug({ user: avatar, ...reason() }, "delivery decided");
  for (const dispatch of turn.dispatches) traceDispatch(log, avatar, dispatch);
}

function traceTold(log: Log, source: string, event: AvatarEvent, users: number): void {
  if (event.type !== "notified") return;
  const { id, seq } = event.notification;
  log.debug({ trace: id, source, seq, users }, "notification numbered");
}

function traceDispatch(log: Log, user: string, { channel, dispatch }: AgentDispatch): void {
  const { notification, attempt, destination } = dispatch;
  log.debug({ trace: notification.id, user, channel, destination, attempt }, "dispatch decided");
}

function isDelivery(report: Report): report is DeliveryReport {
  return report.kind === "delivery";
}
