/** The user's addresses for mail: what is sent there is told. */
import { randomBytes } from "node:crypto";
import { type InboxView, mailSource } from "@tidings/protocol";
import type { Turn } from "../shard/turn.ts";
import { openSource, type SourceKind } from "./own-sources.ts";
import { INBOX, SUBSCRIPTION, type SubscriptionRow } from "./rows.ts";

const LOCAL_CHARS = 20;
/** RFC 4648 §6, in lower case: 5 random bits each. */
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

export const INBOXES: SourceKind = { prefix: INBOX, noun: "inbox" };
export type InboxRow = Omit<InboxView, "id">;

/** The address that a user has from the start. */
export function addFirstInbox(turn: Turn): string {
  const { row, inbox } = addInbox(turn, "Mail");
  turn.put(SUBSCRIPTION + row.source, { ...row, isUnused: true } satisfies SubscriptionRow);
  return inbox.local;
}

/** Something has come to it: from now on the subscription is listed. */
export function isUsed(turn: Turn, { isUnused, ...row }: SubscriptionRow): void {
  if (isUnused === true) turn.put(SUBSCRIPTION + row.source, row satisfies SubscriptionRow);
}

/** A new address, and the subscription to it. Throws CallError when there are as many as may be. */
export function addInbox(turn: Turn, title: string): { inbox: InboxView; row: SubscriptionRow } {
  const local = [...randomBytes(LOCAL_CHARS)].map((byte) => BASE32[byte % BASE32.length]).join("");
  const source = mailSource(local);
  const inbox: InboxRow = { title, local, createdAt: turn.nowAt };
  const row = openSource(turn, INBOXES, source, { title, secret: "", row: inbox });
  return { inbox: { id: source, ...inbox }, row };
}
