/** What the monitor answers on the bus: loads and wakes are heard, and the calls of operators are answered, who ask through web-api. */
import type { Bus } from "@tidings/bus";
import {
  type Addresses,
  answerStanza,
  busChild,
  CALLS,
  type CallArgs,
  CallError,
  check,
  type Element,
  FLEET_CALLS,
  MalformedError,
  type MonitorCallName,
  readCall,
  readLoad,
  refusalStanza,
  splitJid,
} from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { Monitor } from "./monitor.ts";

export interface HearingOptions {
  readonly bus: Pick<Bus, "send" | "onStanza">;
  readonly addresses: Addresses;
  readonly monitor: Monitor;
  readonly log: Log;
}

/** Hears and answers until the bus is stopped. */
export function hear(options: HearingOptions): void {
  options.bus.onStanza((stanza) => {
    if (stanza.is("presence")) hearLoad(options, stanza);
    else if (stanza.is("message")) hearWake(options, stanza);
    else if (stanza.is("iq")) void answer(options, stanza);
  });
}

/** A host that says nonsense is not counted on, and an operator reads why. */
function hearLoad({ addresses, monitor, log }: HearingOptions, stanza: Element): void {
  const { domain } = splitJid(stanza.attrs.from ?? "");
  const [, name] = /^(h\d{1,3})\.hosts\.(.+)$/.exec(domain) ?? [];
  if (name === undefined || domain !== `${name}.hosts.${addresses.avatars}`) return;
  try {
    monitor.hears(name, readLoad(stanza));
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    log.warn({ host: name, err: error }, "a host tells of its load in words that cannot be read");
  }
}

/** Only the router of a silo speaks for it. */
function hearWake({ addresses, monitor }: HearingOptions, stanza: Element): void {
  const { domain } = splitJid(stanza.attrs.from ?? "");
  if (domain === addresses.silo && busChild(stanza)?.name === "wake") monitor.isWoken();
}

async function answer({ bus, addresses, monitor, log }: HearingOptions, stanza: Element): Promise<void> {
  const { from = "", to = "", id = "", type } = stanza.attrs as Record<string, string | undefined>;
  const child = busChild(stanza);
  if ((type !== "get" && type !== "set") || child?.name !== "call") return;
  try {
    const result = await resultOf(monitor, addresses, splitJid(from).domain, child);
    await bus.send(answerStanza(to, from, id, result));
  } catch (error) {
    if (!isRefusal(error)) log.error({ err: error }, "a call of an operator failed");
    const refusal = refusalStanza(to, from, id, refusalOf(error));
    await bus.send(refusal).catch((late: unknown) => log.warn({ err: late }, "answer was not sent"));
  }
}

async function resultOf(
  monitor: Monitor,
  addresses: Addresses,
  fromDomain: string,
  child: Element,
): Promise<unknown> {
  if (fromDomain !== addresses.web)
    throw new CallError("auth", "forbidden", "Only web-api asks the monitor, for operators.");
  const { name, args } = readCall(child);
  if (!isFleetCall(name))
    throw new CallError("cancel", "feature-not-implemented", `The monitor knows no call ${name}.`);
  const asked = check(CALLS[name].args, args, name);
  if (name === "scaleTo") await monitor.scaleTo((asked as CallArgs<"scaleTo">).hosts);
  if (name === "drainHost") await monitor.drain((asked as CallArgs<"drainHost">).id);
  if (name === "fleetRecord") return monitor.record(asked as CallArgs<"fleetRecord">);
  return monitor.view;
}

function isFleetCall(name: string): name is MonitorCallName {
  return Object.hasOwn(FLEET_CALLS, name);
}

function isRefusal(error: unknown): error is CallError | MalformedError {
  return error instanceof CallError || error instanceof MalformedError;
}

/** What is neither is the table's: it may be there again in a moment. */
function refusalOf(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (error instanceof MalformedError) return new CallError("modify", "bad-request", error.message);
  return new CallError("wait", "internal-server-error", "The monitor could not keep that; try again.");
}
