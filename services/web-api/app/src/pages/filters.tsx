/** What of a source is told: words that have to occur, tried at once on what has come from it. */
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api.ts";
import { draft } from "../drafts.ts";
import { Choice, Field, Form, Trouble } from "../parts/controls.tsx";
import { useList } from "../parts/resource.ts";
import type { Item, List, Subscription } from "../types.ts";

/** The newest of a source on which a filter is tried. */
const TRIED = 200;
const SHOWN = 5;
const HOW = [
  ["with", "only what holds one of these words"],
  ["without", "nothing that holds one of these words"],
] as const;

export function Filters() {
  const sources = useList<Subscription>("/v1/subscriptions");
  const all = sources.items.value ?? [];
  if (all.length === 0) return null;
  return (
    <section>
      <h2>Filters</h2>
      <Trouble sentence={sources.trouble.value} />
      <Editor key={all.map(({ id }) => id).join()} sources={all} read={sources.read} />
    </section>
  );
}

function Editor({
  sources,
  read,
}: {
  readonly sources: readonly Subscription[];
  readonly read: () => Promise<void>;
}) {
  const source = useSignal(sources[0]?.id ?? "");
  const how = useSignal<string>("with");
  const words = draft("filter/words");
  const past = useSignal<readonly Item[] | null>(null);
  useEffect(() => {
    past.value = null;
    void api<List<Item>>("GET", `/v1/history?limit=${TRIED}&source=${encodeURIComponent(source.value)}`).then(
      ({ items }) => {
        past.value = items;
      },
      () => undefined,
    );
  }, [source.value]);
  const through = useComputed(() =>
    (past.value ?? []).filter((item) => passes(item, how.value, words.value)),
  );
  const now = sources.find(({ id }) => id === source.value);
  const put = async (filter: unknown) => {
    await api("PATCH", `/v1/subscriptions/${source.value}`, { filter });
    await read();
  };
  return (
    <>
      <Form label="Use this filter" send={() => put(filterOf(how.value, words.value))}>
        <Choice label="Source" value={source} all={sources.map(({ id, title }) => [id, title] as const)} />
        <Choice label="Tell me" value={how} all={HOW} />
        <Field label="Words, with commas between" text={words} />
      </Form>
      {past.value === null ? null : (
        <p role="status" class="quiet">
          It would have let through {through.value.length} of the last {past.value.length} that came.
        </p>
      )}
      <ul class="quiet">
        {through.value.slice(0, SHOWN).map(({ id, title }) => (
          <li key={id} dir="auto">
            {title}
          </li>
        ))}
      </ul>
      {now?.filter === null || now === undefined ? null : (
        <p>
          {now.title} has a filter: <code>{JSON.stringify(now.filter)}</code>{" "}
          <button type="button" onClick={() => void put(null)}>
            Take it away
          </button>
        </p>
      )}
    </>
  );
}

function wordsIn(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** As the rules have it: words in title and text, whatever their case. */
function filterOf(how: string, text: string): unknown {
  const words = wordsIn(text);
  if (words.length === 0) throw new Error("Type at least one word.");
  const any = { any: words.map((contains) => ({ contains })) };
  return how === "with" ? any : { not: any };
}

function passes({ title, summary }: Item, how: string, text: string): boolean {
  const words = wordsIn(text);
  if (words.length === 0) return true;
  const said = `${title}\n${summary ?? ""}`.toLowerCase();
  return words.some((word) => said.includes(word.toLowerCase())) === (how === "with");
}
