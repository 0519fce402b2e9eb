/** What has come, newest first, as it comes. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import {
  anchor,
  isWhole,
  items,
  next,
  onlySource,
  onlyState,
  readAnew,
  readMore,
  search,
  showWaiting,
  waiting,
} from "../live.ts";
import { Block } from "../parts/block.tsx";
import { act } from "../parts/item.tsx";
import { type Part, partsOf } from "../parts/parts-of.ts";
import { useList } from "../parts/resource.ts";
import { follow, go, path } from "../router.ts";
import type { Subscription } from "../types.ts";
import { SubscribeForm } from "./subscribe.tsx";

const SEARCH_AFTER_MS = 250;

export function Stream() {
  const current = useSignal(0);
  const opened = /^\/stream\/([0-9a-f]+)$/.exec(path.value)?.[1] ?? null;
  const isHelped = useSignal(false);
  useKeys(current, isHelped);
  if (next.value === undefined && items.value.length === 0) return <p class="quiet">Reading your history…</p>;
  const isEmpty = items.value.length === 0 && isWhole.value;
  return (
    <>
      <div class="looking">
        <Search />
        <Filters />
      </div>
      {isHelped.value ? <Keys /> : null}
      {waiting.value.length === 0 ? null : (
        <button
          type="button"
          class="waiting"
          onClick={() => {
            showWaiting();
            scrollTo({ top: 0 });
          }}
        >
          {waiting.value.length} new
        </button>
      )}
      {isEmpty ? <FirstUse /> : null}
      {items.value.length === 0 && !isEmpty ? <p class="quiet">Nothing like that in your history.</p> : null}
      {partsOf(items.value, anchor.value).map((part) => (
        <Block
          key={part.items.at(-1)?.id}
          {...part}
          opened={part.items.some(({ id }) => id === opened) ? opened : null}
          current={isIn(part, current.value) ? current.value : null}
        />
      ))}
      <More />
    </>
  );
}

function isIn({ from, items }: Part, at: number): boolean {
  return at >= from && at < from + items.length;
}

function FirstUse() {
  return (
    <section class="first">
      <h2>Nothing has come yet</h2>
      <p>Paste the address of a page or a feed, and what is new there is told to you from now on.</p>
      <SubscribeForm />
      <p class="quiet">
        Programs can tell you things too, and mails can be forwarded here: see{" "}
        <a href="/sources" onClick={follow}>
          Sources
        </a>
        . Where you are told is under{" "}
        <a href="/ways" onClick={follow}>
          Ways
        </a>
        .
      </p>
    </section>
  );
}

function Search() {
  const timer = useRef(0);
  return (
    <input
      type="search"
      class="search"
      aria-label="Search your history"
      placeholder="Search…"
      value={search.value}
      onInput={(event) => {
        search.value = event.currentTarget.value;
        clearTimeout(timer.current);
        timer.current = setTimeout(
          () => void readAnew().catch(() => undefined),
          SEARCH_AFTER_MS,
        ) as unknown as number;
      }}
    />
  );
}

const STATES = [
  ["", "Everything"],
  ["unread", "Unread"],
  ["held", "Held"],
  ["snoozed", "Snoozed"],
  ["acked", "Done"],
] as const;

/** What of the history is shown. */
function Filters() {
  const sources = useList<Subscription>("/v1/subscriptions");
  const choose = (filter: typeof onlyState, value: string) => {
    filter.value = value;
    void readAnew().catch(() => undefined);
  };
  return (
    <>
      <select
        aria-label="Which"
        value={onlyState.value}
        onChange={(event) => choose(onlyState, event.currentTarget.value)}
      >
        {STATES.map(([state, word]) => (
          <option key={state} value={state}>
            {word}
          </option>
        ))}
      </select>
      <select
        aria-label="From"
        value={onlySource.value}
        onChange={(event) => choose(onlySource, event.currentTarget.value)}
      >
        <option value="">All sources</option>
        {sources.items.value?.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </>
  );
}

/** Reads the next page when its place comes near. */
function More() {
  const place = useRef<HTMLButtonElement>(null);
  const { value: cursor } = next;
  useEffect(() => {
    if (place.current === null) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting === true) void readMore().catch(() => undefined);
      },
      { rootMargin: "600px" },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [cursor]);
  return typeof cursor !== "string" ? null : (
    <button ref={place} type="button" class="more" onClick={() => void readMore()}>
      Older ones
    </button>
  );
}

const KEYS = [
  ["j, k", "the next one, the one before"],
  ["o, Enter", "open it"],
  ["Esc", "close it"],
  ["a", "done with it"],
  ["s", "again in an hour"],
  ["?", "these keys, or not"],
] as const;

function Keys() {
  return (
    <dl class="keys" aria-label="Keys">
      {KEYS.map(([key, words]) => (
        <div key={key}>
          <dt>
            <kbd>{key}</kbd>
          </dt>
          <dd>{words}</dd>
        </div>
      ))}
    </dl>
  );
}

/** j and k go on and back, o or Enter opens, a is done with it, s snoozes it. */
function useKeys(current: { value: number }, isHelped: { value: boolean }): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const isTyping = event.target instanceof HTMLElement && event.target.matches("input, textarea, select");
      if (isTyping || event.metaKey || event.ctrlKey || event.altKey) return;
      const item = items.value[current.value];
      const move = (to: number) => {
        current.value = Math.max(0, Math.min(items.value.length - 1, to));
        const row = document.querySelectorAll<HTMLElement>(".stream > li")[current.value];
        row?.querySelector("button")?.focus();
        row?.scrollIntoView({ block: "nearest" });
      };
      if (event.key === "j") move(current.value + 1);
      else if (event.key === "k") move(current.value - 1);
      else if (event.key === "?") isHelped.value = !isHelped.value;
      else if (event.key === "Escape") go("/");
      else if (item === undefined) return;
      else if (event.key === "o") go(`/stream/${item.id}`);
      else if (event.key === "a") void act(item, "ack").catch(() => undefined);
      else if (event.key === "s") void act(item, "snooze", { for: "PT1H" }).catch(() => undefined);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
