/** The user's publishers: tokens with which programs tell them something. */
import { randomBytes } from "node:crypto";
import { CallError, newSigningSecret, type PublisherView, pushSource, shareToken } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { openSource, type SourceKind } from "./own-sources.ts";
import { PUBLISHER, type SubscriptionRow } from "./rows.ts";

const TOKEN_BYTES = 24;

export const PUBLISHERS: SourceKind = { prefix: PUBLISHER, noun: "publisher" };
export type PublisherRow = Omit<PublisherView, "id">;

/** A new publisher, and the subscription to it. Throws CallError when there are as many as may be. */
export function addPublisher(turn: Turn, title: string): { publisher: PublisherView; row: SubscriptionRow } {
  const token = `tdp_${randomBytes(TOKEN_BYTES).toString("base64url")}`;
  const source = pushSource(token);
  const publisher: PublisherRow = { title, token, secret: newSigningSecret(), createdAt: turn.nowAt };
  const row = openSource(turn, PUBLISHERS, source, { title, secret: publisher.secret, row: publisher });
  return { publisher: { id: source, ...publisher }, row };
}

/** Lets others subscribe to it, by a token. Throws `item-not-found`. */
export function sharePublisher(turn: Turn, id: string): PublisherView {
  const row = publisher(turn, id);
  if (row.share !== undefined) return { id, ...row };
  const share = shareToken(id, randomBytes(TOKEN_BYTES).toString("base64url"));
  return keepShared(turn, id, { ...row, share });
}

/** Whoever has subscribed by its token hears no more. Throws `item-not-found`. */
export function unsharePublisher(turn: Turn, id: string): PublisherView {
  const { share: _, ...row } = publisher(turn, id);
  return keepShared(turn, id, row);
}

function publisher(turn: Turn, id: string): PublisherRow {
  const row = turn.get<PublisherRow>(PUBLISHER + id);
  if (row === undefined) throw new CallError("cancel", "item-not-found", "You have no such publisher.");
  return row;
}

function keepShared(turn: Turn, id: string, row: PublisherRow): PublisherView {
  turn.put(PUBLISHER + id, row);
  turn.tell([id], { type: "publisherShared", share: row.share ?? null });
  return { id, ...row };
}
