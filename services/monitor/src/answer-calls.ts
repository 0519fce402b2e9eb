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
    else if (stanza.is("iq")) answer(options, stanza);
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

function answer({ bus, addresses, monitor, log }: HearingOptions, stanza: Element): void {
  const { from = "", to = "", id = "", type } = stanza.attrs as Record<string, string | undefined>;
  const child = busChild(stanza);
  if ((type !== "get" && type !== "set") || child?.name !== "call") return;
  const reply = () => {
    try {
      return answerStanza(to, from, id, resultOf(monitor, addresses, splitJid(from).domain, child));
    } catch (error) {
      return refusalStanza(to, from, id, refusalOf(error));
    }
  };
  bus.send(reply()).catch((error: unknown) => log.warn({ err: error }, "answer was not sent"));
}

function resultOf(monitor: Monitor, addresses: Addresses, fromDomain: string, child: Element): unknown {
  if (fromDomain !== addresses.web)
    throw new CallError("auth", "forbidden", "Only web-api asks the monitor, for operators.");
  const { name, args } = readCall(child);
  if (!isFleetCall(name))
    throw new CallError("cancel", "feature-not-implemented", `The monitor knows no call ${name}.`);
  const asked = check(CALLS[name].args, args, name);
  if (name === "scaleTo") monitor.scaleTo((asked as CallArgs<"scaleTo">).hosts);
  if (name === "drainHost") monitor.drain((asked as CallArgs<"drainHost">).id);
  return monitor.view;
}

function isFleetCall(name: string): name is MonitorCallName {
  return Object.hasOwn(FLEET_CALLS, name);
}

function refusalOf(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (error instanceof MalformedError) return new CallError("modify", "bad-request", error.message);
  throw error;
}
