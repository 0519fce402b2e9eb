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

/** A page has an id of its own for as long as it is open. */
const PageId = Type.String({ pattern: "^[A-Za-z0-9_-]{8,64}$" });

/** `available`: the page is before the user; `away`: it is not, and the browser shows what comes; `offline`: nothing would be seen. */
export const PageShow = Type.Enum(["available", "away", "offline"]);
export type PageShow = Static<typeof PageShow>;

/** Most notifications that a page says at once to have shown. */
export const MOST_SHOWN = 100;

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
      /** The open page for which it is asked: what is not newer than `since` was sent to it. */
      page: Type.Optional(PageId),
    }),
    result: Type.Object({
      fresh: Type.Array(HistoryItem),
      moved: Type.Array(HistoryItem),
      presence: Type.Array(PresenceView),
      isCut: Type.Boolean(),
      stand: Stand,
      /** The avatar does not know the page: it is to say how it stands. */
      asksPage: Type.Optional(Type.Literal(true)),
    }),
    may: "user",
    changes: false,
  },
  /** How an open page stands, and what it has shown to the user; with `show` null it is closed. May be repeated. */
  pageSays: {
    args: Type.Object({
      page: PageId,
      show: Type.Union([PageShow, Type.Null()]),
      /** Since when nobody has done anything there, epoch milliseconds; null: somebody does. */
      idleSinceAt: Type.Union([Type.Number(), Type.Null()]),
      /** Ids of notifications. */
      shown: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { maxItems: MOST_SHOWN }),
    }),
    result: Type.Object({}, { additionalProperties: false }),
    may: "user",
    changes: true,
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
