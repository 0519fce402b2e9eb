/** One notification of the stream: a line that opens. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api.ts";
import { replace } from "../live.ts";
import { toTheMillisecond } from "../times.ts";
import type { Item, TracedItem } from "../types.ts";
import { Action, Time } from "./controls.tsx";
import { deliveryLine, meaningOf } from "./words.ts";

interface Props {
  readonly item: Item;
  readonly isOpen: boolean;
  readonly isCurrent: boolean;
  readonly toggle: () => void;
}

const IS_READ = new Set(["read", "acked", "displayed", "acted"]);

export function ItemRow({ item, isOpen, isCurrent, toggle }: Props) {
  const meaning = meaningOf(item.state);
  return (
    <li class="item" data-id={item.id} data-current={isCurrent} data-read={IS_READ.has(item.state)}>
      <button type="button" class="head" aria-expanded={isOpen} onClick={toggle}>
        <span class="dot" data-meaning={meaning} aria-hidden="true" />
        <span class="title" dir="auto">
          {item.title || "(no title)"}
        </span>
        <Time at={item.receivedAt} />
        <span class="line">
          <bdi>{item.sourceTitle}</bdi> · <span data-meaning={meaning}>{deliveryLine(item)}</span>
        </span>
      </button>
      {isOpen ? <Opened item={item} /> : null}
    </li>
  );
}

function Opened({ item }: { readonly item: Item }) {
  const traced = useSignal<TracedItem | null>(null);
  useEffect(() => {
    // Read again when it moves on, so that the trace grows while it is looked at.
    void api<TracedItem>("GET", `/v1/history/${item.id}`).then(
      (found) => {
        traced.value = found;
      },
      () => undefined,
    );
  }, [item.id, JSON.stringify(item.deliveries), item.state]);
  useEffect(() => {
    if (!IS_READ.has(item.state)) void act(item, "read").catch(() => undefined);
  }, [item.id]);
  return (
    <div class="opened">
      {item.summary === null ? null : (
        <p class="summary" dir="auto">
          {item.summary}
        </p>
      )}
      <Facts item={item} />
      <Acts item={item} />
      <Trace item={traced.value} />
    </div>
  );
}

function Facts({ item }: { readonly item: Item }) {
  return (
    <ul class="facts">
      {item.author === null ? null : (
        <li>
          by <bdi>{item.author}</bdi>
        </li>
      )}
      {item.sender === undefined ? null : (
        <li>
          {item.sender.proven ? "sender proven: " : "sender not proven: "}
          <bdi>{item.sender.address}</bdi>
        </li>
      )}
      {item.unsubscribe === undefined || !/^(?:https?|mailto):/.test(item.unsubscribe) ? null : (
        <li>
          <a href={item.unsubscribe} rel="noreferrer noopener" target="_blank">
            Leave this list
          </a>
        </li>
      )}
      {item.enclosures?.map(({ url, type }) => (
        <li key={url}>
          <a href={url} rel="noreferrer noopener" target="_blank">
            {type ?? "file"}
          </a>
        </li>
      ))}
    </ul>
  );
}

function Acts({ item }: { readonly item: Item }) {
  const words = useSignal("");
  return (
    <div class="acts">
      {item.link === null || !/^https?:/.test(item.link) ? null : (
        <a class="button" href={item.link} rel="noreferrer noopener" target="_blank">
          Open {new URL(item.link).host}
        </a>
      )}
      {item.state === "acked" ? null : <Action act={() => act(item, "ack")}>Done</Action>}
      <Action act={() => act(item, "snooze", { for: "PT1H" })}>Snooze 1 h</Action>
      <Action act={() => act(item, "redeliver")}>Send again</Action>
      {item.options?.map(({ id, label, input }) => (
        <span key={id} class="option">
          {input === true ? (
            <input
              aria-label={`Words for ${label}`}
              value={words.value}
              onInput={(event) => {
                words.value = event.currentTarget.value;
              }}
            />
          ) : null}
          <Action
            kind="main"
            act={() =>
              act(item, "reply", { option: id, ...(words.value === "" ? {} : { text: words.value }) })
            }
          >
            {label}
          </Action>
        </span>
      ))}
    </div>
  );
}

function Trace({ item }: { readonly item: TracedItem | null }) {
  if (item === null) return <p class="quiet">Reading what became of it…</p>;
  return (
    <ol class="trace" aria-label="What became of it">
      {item.trace.map(({ at, what, state }) => (
        <li key={`${at} ${what}`}>
          <time dateTime={at}>{toTheMillisecond(at)}</time>
          <span data-meaning={state === null ? undefined : meaningOf(state)}>
            {state === null ? what : `${state}: ${what}`}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** Does something with an item; what is shown of it is as it is then. */
export async function act(item: Item, what: string, body: object = {}): Promise<void> {
  replace(await api<TracedItem>("POST", `/v1/history/${item.id}/${what}`, body));
}
