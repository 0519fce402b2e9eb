/**
 * What an open page is told as it happens. The page's stand is a cursor that web-api holds: it asks for what has changed since,
 * and the avatar tells it by `<changed/>` that there is something to ask for. What is told is lost without harm: it is asked
 * every few seconds anyway.
 */
import xml, { type Element } from "@xmpp/xml";
import Type, { type Static } from "typebox";
import { HistoryItem, PresenceView } from "./views.ts";

/** How far a page has come: the newest notification that it knows, and when (by the avatar's clock) it asked. */
export const Stand = Type.Object({
  number: Type.String({ maxLength: 40 }),
  at: Type.Number(),
});
export type Stand = Static<typeof Stand>;

/** A part of {@link CALLS}, see calls.ts. */
export const LIVE_CALLS = {
  /**
   * What is new and what has moved on since `since`, oldest first; null: only how things stand. For `watchMs` from now on
   * changes are told. `isCut`: there was more than is looked at.
   */
  changes: {
    args: Type.Object({
      since: Type.Union([Stand, Type.Null()]),
      watchMs: Type.Integer({ minimum: 0, maximum: 120_000 }),
    }),
    result: Type.Object({
      fresh: Type.Array(HistoryItem),
      moved: Type.Array(HistoryItem),
      presence: Type.Array(PresenceView),
      isCut: Type.Boolean(),
      stand: Stand,
    }),
    may: "user",
    changes: false,
  },
} as const;

const NS_LIVE = "urn:tidings:live:1";

/** Tells web-api at `to` that something has changed for `user`, whose avatar is in the silo with the domain `from`. */
export function changedStanza(from: string, to: string, user: string): Element {
  const changed = xml("changed", { xmlns: NS_LIVE });
  return xml("message", { type: "normal", from: `${user}@${from}`, to }, changed);
}

/** Whether `stanza` tells that. */
export function isChanged(stanza: Element): boolean {
  return stanza.is("message") && stanza.getChild("changed", NS_LIVE) !== undefined;
}
