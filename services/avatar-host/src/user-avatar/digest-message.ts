/** Several notifications as one: what an agent carries out like any other, under an id of its own. */
import { createHash } from "node:crypto";
import {
  DIGEST_MEMBER_LIMITS,
  type DigestMember,
  ITEM_LIMITS,
  type Notification,
  shorten,
} from "@tidings/protocol";

/** How much of a single title the title of a digest shows (characters). */
const TITLE_CHARS = 80;

/** The id of the digest of these notifications (with the tries they are at) for a destination: the same again for the same. */
export function digestId(destination: string, members: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([destination, members]))
    .digest("hex")
    .slice(0, 32);
}

/** The digest of `notifications`, oldest first, which went out at `at` (epoch milliseconds). */
export function digestMessage(id: string, notifications: readonly Notification[], at: number): Notification {
  const sources = new Set(notifications.map(({ source }) => source));
  const titles = notifications.map(({ title }) => shorten(title, TITLE_CHARS));
  const lines = notifications.map(({ title, link }) =>
    link === null ? `• ${title}` : `• ${title}\n  ${link}`,
  );
  const count = `${notifications.length} notifications`;
  return {
    id,
    title: shorten(`${count}: ${titles.join(" · ")}`, ITEM_LIMITS.title),
    link: null,
    summary: shorten(lines.join("\n"), ITEM_LIMITS.summary),
    author: null,
    publishedAt: null,
    source: sources.size === 1 ? (notifications[0]?.source ?? "digest") : "digest",
    seq: 1,
    receivedAt: at,
  };
}

/** What a digest says of one of its notifications: a link that is too long to be shown is left out. */
export function digestMember(
  { id, title, link, receivedAt }: Notification,
  sourceTitle: string | null,
): DigestMember {
  const { title: titleChars, link: linkChars } = DIGEST_MEMBER_LIMITS;
  const shownLink = link === null || link.length > linkChars ? null : link;
  return { id, title: shorten(title, titleChars), link: shownLink, sourceTitle, receivedAt };
}
