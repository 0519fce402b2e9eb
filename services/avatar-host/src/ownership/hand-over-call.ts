/** An operator's word that a host give one shard to another: `<hand-over shard="17" to="h2"/>` to the host's own address. */
import type { Bus } from "@tidings/bus";
import {
  type Addresses,
  busChild,
  CallError,
  type Element,
  HAND_OVER,
  refusalStanza,
  splitJid,
  xml,
} from "@tidings/protocol";
import type { Log } from "@tidings/runtime";

export interface HandOverCalls {
  readonly bus: Pick<Bus, "send">;
  readonly addresses: Addresses;
  readonly log: Log;
  readonly handOver: (shard: number, to: string) => Promise<void>;
}

/**
 * Answers `stanza` when it asks for a hand-over and comes from web-api or the monitor; false when it is something else. The
 * answer leaves when the shard is free for the other host, or is a refusal that says why it cannot be given.
 */
export function answerHandOver(stanza: Element, { bus, addresses, log, handOver }: HandOverCalls): boolean {
  const { from = "", to = "", id = "", type } = stanza.attrs as Record<string, string | undefined>;
  const child = busChild(stanza);
  if (!stanza.is("iq") || type !== "set" || child?.name !== HAND_OVER) return false;
  const { domain } = splitJid(from);
  if (domain !== addresses.monitor && domain !== addresses.web) return false;
  const refusal = ({ message }: Error) =>
    refusalStanza(to, from, id, new CallError("cancel", "not-acceptable", message));
  handOver(Number(child.attrs.shard), String(child.attrs.to))
    .then(() => xml("iq", { type: "result", from: to, to: from, id }), refusal)
    .then((answer) => bus.send(answer))
    .catch((error) => log.warn({ err: error }, "answer was not sent"));
  return true;
}
