/**
 * What a client asks of any contact. A component's server answers nothing for it (XEP-0114), so the agent does: features
 * (XEP-0030), vCard (XEP-0054), version (XEP-0092), ping (XEP-0199), time (XEP-0202). Pure.
 */
import { CallError, type Element, splitJid, xml } from "@tidings/protocol";
import { discoInfo, isOwnNode } from "./features.ts";
import { NS } from "./namespaces.ts";
import { errorTo, NOT_OFFERED, resultOf } from "./stanza-answers.ts";

const DESCRIPTION =
  "Tells you what you asked to be told. Send me the address of a page or feed, or the word help.";
const UNKNOWN_NODE = new CallError("cancel", "item-not-found", "There is no such node.");

/** The answer to the request `iq`; null when it is to be met with silence. Everything unknown is service-unavailable. */
export function informationAnswer(iq: Element, nowAt: number): Element | null {
  const asked = iq.getChildElements()[0];
  if (iq.attrs.type !== "get" || asked === undefined) return errorTo(iq, NOT_OFFERED);
  const { node } = asked.attrs as { node?: string };
  const isAgent = splitJid(String(iq.attrs.to)).local !== "";
  switch (asked.attrs.xmlns) {
    case NS.discoInfo:
      if (node !== undefined && !isOwnNode(node)) return errorTo(iq, UNKNOWN_NODE);
      return resultOf(iq, discoInfo(node, isAgent));
    case NS.discoItems:
      return resultOf(iq, xml("query", { xmlns: NS.discoItems, ...(node === undefined ? {} : { node }) }));
    case NS.vcard:
      return resultOf(iq, vcard());
    case NS.version:
      return resultOf(
        iq,
        xml("query", { xmlns: NS.version }, xml("name", {}, "Tidings"), xml("version", {}, "0.1.0")),
      );
    case NS.ping:
      return resultOf(iq);
    case NS.time:
      return resultOf(iq, time(nowAt));
    default:
      return errorTo(iq, NOT_OFFERED);
  }
}

function vcard(): Element {
  return xml(
    "vCard",
    { xmlns: NS.vcard },
    xml("FN", {}, "Tidings"),
    xml("NICKNAME", {}, "Tidings"),
    xml("DESC", {}, DESCRIPTION),
  );
}

function time(nowAt: number): Element {
  return xml(
    "time",
    { xmlns: NS.time },
    xml("tzo", {}, "+00:00"),
    xml("utc", {}, new Date(nowAt).toISOString()),
  );
}
