/** Where things come from: feeds, addresses for mail, and addresses for programs. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, onlyOnce } from "../api.ts";
import { draft } from "../drafts.ts";
import { Action, Copyable, Field, Form, Trouble } from "../parts/controls.tsx";
import { type Listed, useList } from "../parts/resource.ts";
import { meaningOf } from "../parts/words.ts";
import { clockOf, whenOf } from "../times.ts";
import type { Inbox, Publisher, Subscription } from "../types.ts";
import { SubscribeForm, subscribed } from "./subscribe.tsx";

export function Sources() {
  const feeds = useList<Subscription>("/v1/subscriptions", subscribed.value);
  const inboxes = useList<Inbox>("/v1/inboxes");
  const publishers = useList<Publisher>("/v1/publishers");
  return (
    <>
      <section>
        <h2>Feeds</h2>
        <SubscribeForm />
        <Trouble sentence={feeds.trouble.value} />
        <ul class="rows">
          {feeds.items.value
            ?.filter(({ id }) => id.startsWith("rss.") || !isOwn(id, inboxes, publishers))
            .map((feed) => (
              <FeedRow key={feed.id} feed={feed} read={feeds.read} />
            ))}
        </ul>
        {feeds.items.value?.length === 0 ? <p class="quiet">You follow nothing yet.</p> : null}
        <Opml read={feeds.read} />
      </section>
      <section>
        <h2>Mail</h2>
        <p class="quiet">
          Forward alert mails to an address of your own; the confirmation mail of your provider comes to the
          stream.
        </p>
        <ul class="rows">
          {inboxes.items.value?.map(({ id, title, address }) => (
            <li key={id}>
              <strong dir="auto">{title}</strong>{" "}
              <Copyable text={address} label={`the address of ${title}`} />
              <Action act={() => end(`/v1/inboxes/${id}`, inboxes)}>End</Action>
            </li>
          ))}
        </ul>
        <AddNamed name="inbox" label="Make an address" hint="What it is for, such as Flats." list={inboxes} />
      </section>
      <section>
        <h2>Programs</h2>
        <p class="quiet">Whoever has the address can tell you something with one line.</p>
        <ul class="rows">
          {publishers.items.value?.map((publisher) => (
            <PublisherRow key={publisher.id} publisher={publisher} list={publishers} />
          ))}
        </ul>
        <AddNamed
          name="publisher"
          label="Make a publisher"
          hint="Such as db1, or Backups."
          list={publishers}
        />
      </section>
    </>
  );
}

function isOwn(id: string, inboxes: Listed<Inbox>, publishers: Listed<Publisher>): boolean {
  return [...(inboxes.items.value ?? []), ...(publishers.items.value ?? [])].some((one) => one.id === id);
}

/** When the feed is asked next, and when something new came last. */
function Polls({ feed }: { readonly feed: Subscription }) {
  const { id, state, problem } = feed;
  const found = useSignal<Subscription["polls"]>(null);
  useEffect(() => {
    void api<Subscription>("GET", `/v1/subscriptions/${id}`).then(
      ({ polls }) => {
        found.value = polls ?? null;
      },
      () => undefined,
    );
  }, [id, state, problem]);
  const { value: polls } = found;
  if (polls === null || polls === undefined) return null;
  const next = polls.nextAt === null ? "being asked now" : `asked next ${clockOf(polls.nextAt)}`;
  const newest = polls.newestAt === null ? "" : `, last new ${whenOf(polls.newestAt)}`;
  const failed = polls.failures === 0 ? "" : `, failed ${polls.failures} times in a row`;
  return <span class="quiet">{`${polls.isPushed ? "its hub sends, " : ""}${next}${newest}${failed}`}</span>;
}

function FeedRow({ feed, read }: { readonly feed: Subscription; readonly read: () => Promise<void> }) {
  const { id, title, state, problem, priority, edits, source } = feed;
  const change = async (body: object) => {
    await api("PATCH", `/v1/subscriptions/${id}`, body);
    await read();
  };
  return (
    <li>
      <strong dir="auto">{title}</strong>
      <small>
        <bdi>{source}</bdi>
      </small>
      <span data-meaning={meaningOf(state)}>{problem === null ? state : `${state}: ${problem}`}</span>
      <Polls feed={feed} />
      <label>
        Priority{" "}
        <select value={priority} onChange={(event) => void change({ priority: event.currentTarget.value })}>
          {["min", "low", "default", "high", "urgent"].map((word) => (
            <option key={word}>{word}</option>
          ))}
        </select>
      </label>
      <label>
        <input type="checkbox" checked={edits} onChange={() => void change({ edits: !edits })} /> edits too
      </label>
      <Action
        act={async () => {
          await api("DELETE", `/v1/subscriptions/${id}`);
          await read();
        }}
      >
        Unsubscribe
      </Action>
    </li>
  );
}

function PublisherRow({
  publisher,
  list,
}: {
  readonly publisher: Publisher;
  readonly list: Listed<Publisher>;
}) {
  const { id, title, url, share } = publisher;
  const reading = async (asked: Promise<unknown>) => {
    await asked;
    await list.read();
  };
  return (
    <li>
      <strong dir="auto">{title}</strong>
      <Copyable text={`curl -d "disk full" ${url}`} label={`the line for ${title}`} />
      {share === null ? (
        <Action act={() => reading(api("POST", `/v1/publishers/${id}/share`, {}))}>Share</Action>
      ) : (
        <>
          <Copyable text={share} label={`the link of ${title}`} />
          <Action act={() => reading(api("DELETE", `/v1/publishers/${id}/share`))}>Share no more</Action>
        </>
      )}
      <Action act={() => end(`/v1/publishers/${id}`, list)}>End</Action>
    </li>
  );
}

function AddNamed<T>({
  name,
  label,
  hint,
  list,
}: {
  readonly name: "inbox" | "publisher";
  readonly label: string;
  readonly hint: string;
  readonly list: Listed<T>;
}) {
  const title = draft(name);
  const send = async (key: string) => {
    const named = { title: title.value.trim() };
    if (named.title === "") throw new Error("Give it a name first.");
    await api("POST", name === "inbox" ? "/v1/inboxes" : "/v1/publishers", named, onlyOnce(key));
    title.value = "";
    await list.read();
  };
  return (
    <Form label={label} send={send}>
      <Field label="Name" text={title} hint={hint} />
    </Form>
  );
}

async function end<T>(path: string, list: Listed<T>): Promise<void> {
  await api("DELETE", path);
  await list.read();
}

interface Imported {
  readonly url: string;
  readonly outcome: string;
  readonly problem: string | null;
}

/** Out as a file, in with a result for each feed. */
function Opml({ read }: { readonly read: () => Promise<void> }) {
  const results = useSignal<readonly Imported[] | null>(null);
  const trouble = useSignal<string | null>(null);
  const take = async (file: File | undefined) => {
    if (file === undefined) return;
    trouble.value = null;
    try {
      const headers = { "content-type": "text/x-opml" };
      const text = await file.text();
      results.value = (await api<{ items: Imported[] }>("POST", "/v1/opml", text, headers)).items;
      await read();
    } catch (error) {
      trouble.value = error instanceof Error ? error.message : String(error);
    }
  };
  const failed = results.value?.filter(({ problem }) => problem !== null) ?? [];
  return (
    <div class="opml">
      <a class="button" href="/v1/opml" download="tidings.opml">
        Export as OPML
      </a>
      <label class="button">
        Import OPML
        <input
          type="file"
          class="hidden"
          accept=".opml,.xml"
          onChange={(event) => void take(event.currentTarget.files?.[0])}
        />
      </label>
      <Trouble sentence={trouble.value} />
      {results.value === null ? null : (
        <p role="status">
          {results.value.length - failed.length} of {results.value.length} feeds are subscribed.
        </p>
      )}
      <ul>
        {failed.map(({ url, problem }) => (
          <li key={url}>
            <bdi>{url}</bdi>: {problem}
          </li>
        ))}
      </ul>
    </div>
  );
}
