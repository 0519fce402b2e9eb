/** Where each notification goes, and when: sentences, quiet hours, the whole document, and the simulator beside them. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, api } from "../api.ts";
import { draft } from "../drafts.ts";
import { Choice, Field, Form } from "../parts/controls.tsx";
import { channelWord } from "../parts/words.ts";
import type { Rules, Simulation } from "../types.ts";
import { Filters } from "./filters.tsx";
import { HeldDigest } from "./held-digest.tsx";
import { Ladders } from "./ladders.tsx";
import { Quiet } from "./quiet-hours.tsx";

export function RulesPage() {
  const rules = useSignal<Rules | null>(null);
  const text = draft("rules");
  const read = async () => {
    rules.value = await api<Rules>("GET", "/v1/rules");
    if (text.value === "") text.value = JSON.stringify(rules.value, null, 2);
  };
  useEffect(() => void read().catch(() => undefined), []);
  const put = async (document: unknown) => {
    await api("PUT", "/v1/rules", document as object).catch((error: unknown) => {
      throw error instanceof ApiError ? withProblems(error) : error;
    });
    text.value = "";
    await read();
  };
  if (rules.value === null) return <p class="quiet">Reading your rules…</p>;
  return (
    <div class="beside">
      <div>
        <Ladders rules={rules.value} put={put} />
        <Quiet rules={rules.value} put={put} />
        <HeldDigest rules={rules.value} put={put} />
        <Filters />
        <section>
          <h2>The whole document</h2>
          <p class="quiet">
            What you leave out is as by default; what contradicts itself is refused with a sentence. The words
            are in <a href="/docs">the reference</a>.
          </p>
          <Form label="Save" send={() => put(parsed(text.value))}>
            <label class="field">
              <span>Rules as JSON</span>
              <textarea
                rows={16}
                spellcheck={false}
                value={text.value}
                onInput={(event) => {
                  text.value = event.currentTarget.value;
                }}
              />
            </label>
          </Form>
        </section>
      </div>
      <Simulator />
    </div>
  );
}

function Simulator() {
  const title = draft("simulate", "Disk full");
  const priority = useSignal("default");
  const show = useSignal("available");
  const at = draft("simulate/at");
  const found = useSignal<Simulation | null>(null);
  const send = async () => {
    found.value = await api<Simulation>("POST", "/v1/rules/simulate", {
      notification: { title: title.value, priority: priority.value },
      presence: { show: show.value },
      ...(at.value === "" ? {} : { at: today(at.value) }),
    });
  };
  return (
    <aside class="simulator">
      <h2>What would happen</h2>
      <Form label="Try" send={send}>
        <Field label="Title" text={title} />
        <Choice label="Priority" value={priority} all={["min", "low", "default", "high", "urgent"]} />
        <Field label="At, today (empty: now)" text={at} type="time" />
        <Choice label="You are" value={show} all={["available", "chat", "away", "xa", "dnd", "offline"]} />
      </Form>
      {found.value === null ? null : (
        <ol class="trace" aria-label="What would be decided">
          {found.value.decisions.map(({ destination, channel, action, reason }) => (
            <li key={destination}>
              <strong>{channelWord(channel)}</strong> {action}: {reason}
            </li>
          ))}
        </ol>
      )}
    </aside>
  );
}

/** A time of today's, RFC 3339. */
function today(time: string): string {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return new Date(new Date().setHours(hours, minutes, 0, 0)).toISOString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

function withProblems(error: ApiError): Error {
  const each = error.problem?.errors?.map(({ pointer, detail }) => `${pointer}: ${detail}`) ?? [];
  return each.length === 0 ? error : new Error(each.join(" "));
}
