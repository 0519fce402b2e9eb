/** What the agent and a person's client say to each other in one exchange. Pure, but for the ids of answers. */
import { createHash, randomUUID } from "node:crypto";
import { bareJid, cleanText, type Element, splitJid, xml } from "@tidings/protocol";
import { NS } from "./namespaces.ts";

/** The answer `text` to `message`, as plain text. */
export function replyTo(message: Element, text: string): Element {
  const { from, to } = message.attrs;
  return xml(
    "message",
    { type: "chat", from: bareJid(to), to: from, id: randomUUID() },
    xml("body", {}, cleanText(text)),
    xml("active", { xmlns: NS.chatStates }),
    xml("unstyled", { xmlns: NS.styling }),
  );
}

/** The operation id of `what` a stanza asks for: the same stanza asks for the same operation, however often it comes. */
export function operationOf(stanza: Element, what: string): string {
  const { from, to, id } = stanza.attrs as Record<string, string | undefined>;
  const parts = [splitJid(to ?? "").local, from, id ?? randomUUID(), what];
  return `im.${createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 40)}`;
}
