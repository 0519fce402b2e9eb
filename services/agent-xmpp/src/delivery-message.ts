/**
 * How a delivery looks in a client: the title, the source, and the bare link on a line of its own, which every client,
 * also a terminal, makes clickable. Never an out-of-band URL (XEP-0066): clients show one that equals the body as a file.
 */
import { answersText } from "@tidings/agent";
import {
  cleanLine,
  type DigestMember,
  type Dispatch,
  type Element,
  messageId,
  SHOWN_OF_MESSAGE,
  xml,
} from "@tidings/protocol";
import { NS } from "./namespaces.ts";

/** Longest title that is shown (UTF-16 units). */
export const MAX_TITLE_CHARS = 400;
const MAX_SOURCE_CHARS = 120;
const MAX_MEMBER_TITLE_CHARS = 120;
const MAX_SUMMARY_CHARS = 300;
/** What a client might take for formatting (XEP-0393 §5). */
const STYLING = /[*_~`]|^\s*>/m;

/** The message that carries out `dispatch`, from the JID under which the user knows the agent. */
export function deliveryMessage(dispatch: Dispatch, from: string): Element {
  const { notification, address, heldSinceAt } = dispatch;
  const text = deliveryText(dispatch);
  const id = messageId(notification.id, dispatch.wantedFrom);
  return xml(
    "message",
    { type: "chat", from, to: address, id },
    xml("body", {}, text),
    xml("origin-id", { xmlns: NS.stanzaIds, id }),
    xml("request", { xmlns: NS.receipts }),
    xml("markable", { xmlns: NS.markers }),
    xml("store", { xmlns: NS.hints }),
    ...(dispatch.corrects === undefined ? [] : [replacing(dispatch.corrects)]),
    ...(STYLING.test(text) ? [xml("unstyled", { xmlns: NS.styling })] : []),
    ...(heldSinceAt === null ? [] : [delay(from, heldSinceAt)]),
    ...linkMetadata(dispatch),
  );
}

/** The body: title, source when it has a name, what can be answered, link when there is one; of a digest, that of the first ones in it. */
export function deliveryText({ notification, sourceTitle, members }: Dispatch): string {
  if (members !== undefined) return digestText(members);
  const source = cleanLine(sourceTitle ?? "", MAX_SOURCE_CHARS);
  const title =
    cleanLine(notification.title, MAX_TITLE_CHARS) || cleanLine(notification.summary ?? "", MAX_TITLE_CHARS);
  const { options } = notification;
  const answers = options === undefined ? "" : `Reply with ${answersText(options)}`;
  return [title || "(no title)", source, answers, webLink(notification.link)]
    .filter((line) => line !== "" && line !== null)
    .join("\n");
}

function digestText(members: readonly DigestMember[]): string {
  const shown = members.slice(0, SHOWN_OF_MESSAGE).flatMap(({ title, link }) => {
    const safe = webLink(link);
    const line = `• ${cleanLine(title, MAX_MEMBER_TITLE_CHARS) || "(no title)"}`;
    return safe === null ? [line] : [line, `  ${safe}`];
  });
  const left = members.length - SHOWN_OF_MESSAGE;
  const count = `${members.length} ${members.length === 1 ? "notification" : "notifications"}`;
  return [count, ...shown, ...(left > 0 ? [`and ${left} more on your Tidings page`] : [])].join("\n");
}

/** A link that is safe to show: of the web, and without white space; else null. */
function webLink(link: string | null): string | null {
  return link !== null && /^https?:\/\/\S+$/i.test(link) ? link : null;
}

/** A client that knows corrections shows this message in place of the other; one that does not shows both (XEP-0308 §3). */
function replacing(id: string): Element {
  return xml("replace", { xmlns: NS.correction, id });
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
