/** What happens, as it happens: the stream's items and where Tidings believes the reader to be. */
import { computed, signal } from "@preact/signals";
import { api } from "./api.ts";
import { go } from "./router.ts";
import { hasShown, isBefore, notice, pageId, say, watchReader } from "./standing.ts";
import type { Item, List, Me, Resource } from "./types.ts";

const PAGE = 50;

export const me = signal<Me | null>(null);
export const presence = signal<readonly Resource[]>([]);
/** Newest first. */
export const items = signal<readonly Item[]>([]);
/** Id of the newest when the history was read. */
export const anchor = signal<string | null>(null);
/** What came while the reader was further down: shown when they want it. */
export const waiting = signal<readonly Item[]>([]);
export const isConnected = signal(true);
/** Where the next page begins; null: that is all; undefined: nothing was read yet. */
export const next = signal<string | null | undefined>(undefined);
export const search = signal("");
/** A state of the history's filter, such as `unread`; empty: all. */
export const onlyState = signal("");
/** Id of a subscription; empty: all. */
export const onlySource = signal("");
/** Whether the stream shows everything. */
export const isWhole = computed(
  () => search.value.trim() === "" && onlyState.value === "" && onlySource.value === "",
);
export const unread = computed(
  () => items.value.filter(({ state }) => !["read", "acked", "displayed", "acted"].includes(state)).length,
);

let source: EventSource | null = null;
let unwatch: () => void = () => undefined;
let reading = 0;
let hasFailed = false;
/** What was told since the newest reading began, whose answer may be older than that. */
const told = { fresh: new Map<string, Item>(), moved: new Map<string, Item>() };

/** Begins to listen; what has come before is read first. */
export async function open(): Promise<void> {
  me.value = await api<Me>("GET", "/v1/me");
  presence.value = me.value.presence;
  unwatch = watchReader();
  listen();
  await readAnew();
}

export function close(): void {
  source?.close();
  source = null;
  unwatch();
  [items.value, waiting.value, next.value, me.value] = [[], [], undefined, null];
}

/** Reads the newest page, as the search has it. Rejects with ApiError; it is read again then when the stream is back. */
export async function readAnew(): Promise<void> {
  next.value = undefined;
  const turn = ++reading;
  told.fresh.clear();
  told.moved.clear();
  const page = await api<List<Item>>("GET", pathOf(null)).catch((error: unknown) => {
    hasFailed = true;
    throw error;
  });
  if (turn !== reading) return;
  hasFailed = false;
  anchor.value = page.items[0]?.id ?? null;
  [items.value, waiting.value, next.value] = [withWhatWasTold(page.items), [], page.next];
}

function withWhatWasTold(read: readonly Item[]): Item[] {
  const known = new Set(read.map(({ id }) => id));
  const fresh = isWhole.value ? [...told.fresh.values()].filter(({ id }) => !known.has(id)).reverse() : [];
  return [...fresh, ...read].map((item) => told.moved.get(item.id) ?? item);
}

export async function readMore(): Promise<void> {
  const { value: cursor } = next;
  if (cursor === null || cursor === undefined) return;
  const turn = ++reading;
  const page = await api<List<Item>>("GET", pathOf(cursor));
  if (turn !== reading) return;
  const known = new Set(items.value.map(({ id }) => id));
  items.value = [...items.value, ...page.items.filter(({ id }) => !known.has(id))];
  next.value = page.next;
}

/** The item as it is now, wherever it is shown. */
export function replace(item: Item): void {
  told.moved.set(item.id, item);
  const changed = (one: Item) => (one.id === item.id ? { ...one, ...item } : one);
  if (items.value.some(({ id }) => id === item.id)) items.value = items.value.map(changed);
  if (waiting.value.some(({ id }) => id === item.id)) waiting.value = waiting.value.map(changed);
}

export function showWaiting(): void {
  for (const item of waiting.value) hasShown(item);
  items.value = [...waiting.value, ...items.value];
  waiting.value = [];
}

function pathOf(cursor: string | null): string {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (cursor !== null) query.set("cursor", cursor);
  if (search.value.trim() !== "") query.set("q", search.value.trim());
  if (onlyState.value !== "") query.set("state", onlyState.value);
  if (onlySource.value !== "") query.set("source", onlySource.value);
  return `/v1/history?${query}`;
}

function listen(): void {
  source?.close();
  const stream = new EventSource(`/v1/events?page=${pageId}`);
  source = stream;
  stream.onopen = () => {
    isConnected.value = true;
    if (hasFailed) void readAnew().catch(() => undefined);
  };
  stream.onerror = () => {
    isConnected.value = false;
    // A browser tries again by itself, but not after an answer such as 502.
    if (stream.readyState === EventSource.CLOSED && source === stream)
      setTimeout(() => void again(stream), 2_000);
  };
  const on = <T>(name: string, hear: (data: T) => void) =>
    stream.addEventListener(name, (event) => hear(JSON.parse((event as MessageEvent<string>).data) as T));
  on<Item>("notification", hear);
  on<Item>("delivery", (item) => {
    replace(item);
    if (isAwaited(item)) isSeen(item);
  });
  on("standing", () => void say());
  let isNew = true;
  on<readonly Resource[]>("presence", (now) => {
    presence.value = now;
    // A new stream begins with it: what came after the history was read, and before the stream began, is in neither.
    if (isNew) void readAnew().catch(() => undefined);
    isNew = false;
  });
  on("reset", () => void readAnew());
}

async function again(stream: EventSource): Promise<void> {
  if (source !== stream) return;
  await api("GET", "/v1/me").then(
    () => listen(),
    () => setTimeout(() => void again(stream), 2_000),
  );
}

/** On its way to this page, as the reader's rules have it. */
function isAwaited({ deliveries }: Item): boolean {
  return deliveries.some(
    ({ channel, state }) => channel === "web" && (state === "dispatched" || state === "handed"),
  );
}

/** Where the reader cannot see it here, the browser shows it, if it may and if the rules lead to the page. */
function isSeen(item: Item): void {
  if (isBefore()) {
    if (items.value.some(({ id }) => id === item.id)) hasShown(item);
  } else if (isAwaited(item)) notice(item, () => go(`/stream/${item.id}`));
}

function hear(item: Item): void {
  told.fresh.set(item.id, item);
  if (isKnown(item.id)) replace(item);
  else if (!isWhole.value) void readAnew().catch(() => undefined);
  else if (scrollY < 100) items.value = [item, ...items.value];
  else waiting.value = [item, ...waiting.value];
  isSeen(item);
}

function isKnown(wanted: string): boolean {
  return [...items.value, ...waiting.value].some(({ id }) => id === wanted);
}
