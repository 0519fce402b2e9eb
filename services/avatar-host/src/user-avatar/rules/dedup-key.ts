import { createHash } from "node:crypto";
import type { Notification } from "@tidings/protocol";

/** What two notifications share that count as the same: the hash of link or title; null when it has none. */
export function dedupKey({ link, title }: Notification, by: "link" | "title"): string | null {
  const text = by === "link" ? link : title.trim().toLowerCase();
  if (text === null || text === "") return null;
  return createHash("sha256").update(`${by}\n${text}`).digest("base64url").slice(0, 22);
}
