/**
 * How a delivery looks in a client: the title, the source, and the bare link on a line of its own, which every client,
 * also a terminal, makes clickable. Never an out-of-band URL (XEP-0066): clients show one that equals the body as a file.
 */
import { cleanLine, type Dispatch, type Element, xml } from "@tidings/protocol";
import { NS } from "./namespaces.ts";

const MAX_TITLE_CHARS = 400;
const MAX_SOURCE_CHARS = 120;
const MAX_SUMMARY_CHARS = 300;
/** What a client might take for formatting (XEP-0393 §5). */
const STYLING = /[*_~`]|^\s*>/m;

/** The message that carries out `dispatch`, from the JID under which the user knows the agent. */
export function deliveryMessage(dispatch: Dispatch, from: string): Element {
  const { notification, address, heldSinceAt } = dispatch;
  const text = deliveryText(dispatch);
  return xml(
    "message",
    { type: "chat", from, to: address, id: notification.id },
    xml("body", {}, text),
    xml("origin-id", { xmlns: NS.stanzaIds, id: notification.id }),
    xml("request", { xmlns: NS.receipts }),
    xml("markable", { xmlns: NS.markers }),
    xml("store", { xmlns: NS.hints }),
    ...(STYLING.test(text) ? [xml("unstyled", { xmlns: NS.styling })] : []),
    ...(heldSinceAt === null ? [] : [delay(from, heldSinceAt)]),
    ...linkMetadata(dispatch),
  );
}

/** The body: title, source when it has a name, link when there is one. */
export function deliveryText({ notification, sourceTitle }: Dispatch): string {
  const source = cleanLine(sourceTitle ?? "", MAX_SOURCE_CHARS);
  const title =
    cleanLine(notification.title, MAX_TITLE_CHARS) || cleanLine(notification.summary ?? "", MAX_TITLE_CHARS);
  return [title || "(no title)", source, webLink(notification.link)]
    .filter((line) => line !== "" && line !== null)
    .join("\n");
}

/** A link that is safe to show: of the web, and without white space; else null. */
function webLink(link: string | null): string | null {
  return link !== null && /^https?:\/\/\S+$/i.test(link) ? link : null;
}

function delay(from: string, stampAt: number): Element {
  return xml("delay", { xmlns: NS.delay, from, stamp: new Date(stampAt).toISOString() });
}

/** What a client shows of the link without fetching it (XEP-0511 §3). */
function linkMetadata({ notification, sourceTitle }: Dispatch): Element[] {
  const link = webLink(notification.link);
  if (link === null) return [];
  const facts = {
    title: cleanLine(notification.title, MAX_TITLE_CHARS),
    description: cleanLine(notification.summary ?? "", MAX_SUMMARY_CHARS),
    site_name: cleanLine(sourceTitle ?? "", MAX_SOURCE_CHARS),
    url: link,
  };
  const known = Object.entries(facts).filter(([, value]) => value !== "");
  const attributes = { "xmlns:rdf": NS.rdf, "xmlns:og": NS.openGraph, "rdf:about": link };
  return [xml("rdf:Description", attributes, ...known.map(([name, value]) => xml(`og:${name}`, {}, value)))];
}
