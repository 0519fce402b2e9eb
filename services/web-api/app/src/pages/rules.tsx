/** Where each notification goes, and when: sentences, quiet hours, the whole document, and the simulator beside them. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, api } from "../api.ts";
import { draft } from "../drafts.ts";
import { Action, Field, Form } from "../parts/controls.tsx";
import { channelWord } from "../parts/words.ts";
import type { Rules, Simulation, Step } from "../types.ts";

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
        <section>
          <h2>Where it goes</h2>
          <ul class="rows">
            {Object.entries(rules.value.ladders).map(([name, steps]) => (
              <li key={name}>
                <strong>{name === "default" ? "Everything else" : name}</strong>
                <span>{sentenceOfLadder(steps)}</span>
              </li>
            ))}
          </ul>
        </section>
        <Quiet rules={rules.value} put={put} />
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

function sentenceOfLadder(steps: readonly Step[]): string {
  return steps.map(sentenceOfStep).join(", ");
}

function sentenceOfStep({ to, destination, wait, unless, within, when }: Step): string {
  if (wait !== undefined) return `then wait ${durationWord(wait)}`;
  if (unless !== undefined) return `and if it was not ${unless} in ${durationWord(within ?? "")}`;
  const place = to === undefined ? `the way ${destination}` : channelWord(to);
  return when?.presence === undefined ? place : `${place} while you are ${when.presence.join(" or ")}`;
}

function durationWord(iso: string): string {
  return iso.replace(/^PT?/, "").replace("T", " ").replace("H", " h").replace("M", " min").replace("S", " s");
}

function Quiet({
  rules,
  put,
}: {
  readonly rules: Rules;
  readonly put: (document: unknown) => Promise<void>;
}) {
  const from = draft("quiet/from", "22:00");
  const to = draft("quiet/to", "07:00");
  return (
    <section>
      <h2>Quiet hours</h2>
      <p class="quiet">
        Times are those of {rules.zone}. What is urgent passes; the rest comes together afterwards.
      </p>
      <ul class="rows">
        {rules.quietHours.map((hours, at) => (
          <li key={`${hours.from} ${hours.to}`}>
            {hours.from} to {hours.to} {hours.days?.join(", ") ?? "every day"}
            <Action
              act={() => put({ ...rules, quietHours: rules.quietHours.filter((_, other) => other !== at) })}
            >
              Remove
            </Action>
          </li>
        ))}
      </ul>
      <Form
        label="Add"
        send={() =>
          put({
            ...rules,
            zone: rules.zone === "UTC" ? Intl.DateTimeFormat().resolvedOptions().timeZone : rules.zone,
            quietHours: [...rules.quietHours, { from: from.value, to: to.value }],
          })
        }
      >
        <Field label="From" text={from} type="time" />
        <Field label="To" text={to} type="time" />
      </Form>
    </section>
  );
}

function Simulator() {
  const title = draft("simulate", "Disk full");
  const priority = useSignal("default");
  const show = useSignal("available");
  const found = useSignal<Simulation | null>(null);
  const send = async () => {
    found.value = await api<Simulation>("POST", "/v1/rules/simulate", {
      notification: { title: title.value, priority: priority.value },
      presence: { show: show.value },
    });
  };
  return (
    <aside class="simulator">
      <h2>What would happen</h2>
      <Form label="Try" send={send}>
        <Field label="Title" text={title} />
        <Choice label="Priority" value={priority} all={["min", "low", "default", "high", "urgent"]} />
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

function Choice({
  label,
  value,
  all,
}: {
  readonly label: string;
  readonly value: { value: string };
  readonly all: readonly string[];
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <select
        value={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.value;
        }}
      >
        {all.map((word) => (
          <option key={word}>{word}</option>
        ))}
      </select>
    </label>
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

function withProblems(error: ApiError): Error {
  const each = error.problem?.problems?.map(({ path, sentence }) => `${path}: ${sentence}`) ?? [];
  return each.length === 0 ? error : new Error(each.join(" "));
}
