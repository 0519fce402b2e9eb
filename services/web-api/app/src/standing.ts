/**
 * The page as a channel: it says whether it is before the reader, and which notifications they could see. The avatar asks for
 * it by the event `standing`, and is told of each change.
 */
import { signal } from "@preact/signals";
import { api, newKey } from "./api.ts";
import type { Item } from "./types.ts";

/** After this long without a key, a click or a scroll nobody is at the page. */
const IDLE_MS = 5 * 60_000;
/** What is shown within this time is said together. */
const TOGETHER_MS = 150;
const MOST_AT_ONCE = 100;

/** Names this page for as long as it is open. */
export const pageId = newKey();
/** Whether the browser may show what comes while the page is behind others; null: it cannot. */
export const browserNotices = signal<NotificationPermission | null>(
  typeof Notification === "undefined" ? null : Notification.permission,
);

const shown = new Set<string>();
let activeAt = Date.now();
let isSaying = false;
let timer = 0;

/** Asks the browser whether it may show what comes. */
export async function allowNotices(): Promise<void> {
  browserNotices.value = await Notification.requestPermission();
  await say();
}

/** The reader can see `item`, or the browser has shown it: that is said once, where it is not known yet. */
export function hasShown(item: Item): void {
  const own = item.deliveries.find(({ channel }) => channel === "web");
  if (own !== undefined && ["received", "displayed", "acted"].includes(own.state)) return;
  shown.add(item.id);
  clearTimeout(timer);
  timer = setTimeout(() => void say(), TOGETHER_MS) as unknown as number;
}

/** Whether the page is before the reader. */
export function isBefore(): boolean {
  return document.visibilityState === "visible";
}

/** The browser shows what has come while the page is behind others; the item is opened from there. */
export function notice(item: Item, open: () => void): void {
  if (browserNotices.value !== "granted") return;
  const notification = new Notification(item.title || item.sourceTitle, {
    body: item.sourceTitle,
    tag: item.id,
  });
  notification.onshow = () => hasShown(item);
  notification.onclick = () => {
    focus();
    open();
    notification.close();
  };
}

/** Says how the page stands. Nothing is lost when it cannot be said: what was shown is said the next time. */
export async function say(): Promise<void> {
  if (isSaying) return;
  isSaying = true;
  const ids = [...shown].slice(0, MOST_AT_ONCE);
  try {
    await api("POST", `/v1/pages/${pageId}`, { show: standing(), idleSince: idleSince(), shown: ids });
    for (const id of ids) shown.delete(id);
  } catch {
    // The avatar asks again.
    return;
  } finally {
    isSaying = false;
  }
  if (shown.size > 0) await say();
}

/** Tells of the reader's coming and going, until the function that it gives is called. */
export function watchReader(): () => void {
  let said = "";
  const tell = () => {
    const now = `${standing()} ${idleSince() === null}`;
    if (now !== said) void say();
    said = now;
  };
  const isThere = () => {
    activeAt = Date.now();
    tell();
  };
  const events = ["keydown", "pointerdown", "scroll", "focus"] as const;
  for (const event of events) addEventListener(event, isThere, { passive: true });
  document.addEventListener("visibilitychange", tell);
  const clock = setInterval(tell, 30_000);
  return () => {
    for (const event of events) removeEventListener(event, isThere);
    document.removeEventListener("visibilitychange", tell);
    clearInterval(clock);
  };
}

function standing(): "available" | "away" | "offline" {
  if (isBefore()) return "available";
  return browserNotices.value === "granted" ? "away" : "offline";
}

function idleSince(): string | null {
  return Date.now() - activeAt < IDLE_MS ? null : new Date(activeAt).toISOString();
}
