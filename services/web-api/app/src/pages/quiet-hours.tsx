/** When the reader is left alone: a list for the hands, and a week for the eyes. */
import { useSignal } from "@preact/signals";
import { draft } from "../drafts.ts";
import { Action, Field, Form } from "../parts/controls.tsx";
import type { QuietHours, Rules } from "../types.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

interface Props {
  readonly rules: Rules;
  readonly put: (document: unknown) => Promise<void>;
}

export function Quiet({ rules, put }: Props) {
  const { quietHours, zone } = rules;
  return (
    <section>
      <h2>Quiet hours</h2>
      <p class="quiet">
        Times are those of {zone}. What is urgent passes; the rest comes together afterwards.
      </p>
      <Week all={quietHours} />
      <ul class="rows">
        {quietHours.map((hours, at) => (
          <li key={`${hours.from} ${hours.to} ${hours.days}`}>
            {hours.from} to {hours.to} {hours.days?.join(", ") ?? "every day"}
            <Action act={() => put({ ...rules, quietHours: quietHours.filter((_, other) => other !== at) })}>
              Remove
            </Action>
          </li>
        ))}
      </ul>
      <Add rules={rules} put={put} />
    </section>
  );
}

function Add({ rules, put }: Props) {
  const from = draft("quiet/from", "22:00");
  const to = draft("quiet/to", "07:00");
  const days = useSignal<ReadonlySet<string>>(new Set(DAYS));
  const send = () => {
    if (days.value.size === 0) throw new Error("Choose at least one day.");
    const chosen = DAYS.filter((day) => days.value.has(day));
    const hours = {
      from: from.value,
      to: to.value,
      ...(chosen.length === DAYS.length ? {} : { days: chosen }),
    };
    // Whoever has never said where they are is taken to be where their browser is.
    const zone = rules.zone === "UTC" ? Intl.DateTimeFormat().resolvedOptions().timeZone : rules.zone;
    return put({ ...rules, zone, quietHours: [...rules.quietHours, hours] });
  };
  return (
    <Form label="Add" send={async () => send()}>
      <Field label="From" text={from} type="time" />
      <Field label="To" text={to} type="time" />
      <fieldset class="days">
        <legend>On</legend>
        {DAYS.map((day) => (
          <label key={day} class="choice">
            <input
              type="checkbox"
              checked={days.value.has(day)}
              onChange={({ currentTarget }) => {
                const others = [...days.value].filter((one) => one !== day);
                days.value = new Set(currentTarget.checked ? [...others, day] : others);
              }}
            />
            {day}
          </label>
        ))}
      </fieldset>
    </Form>
  );
}

/** Each hour of the week, filled where a part of it is quiet; the list beside it says the same in words. */
function Week({ all }: { readonly all: readonly QuietHours[] }) {
  return (
    <div class="week" aria-hidden="true">
      {DAYS.map((day, at) => (
        <div key={day} class="day">
          <span>{day}</span>
          {HOURS.map((hour) => (
            <i key={hour} data-quiet={all.some((hours) => isQuiet(hours, at, hour))} />
          ))}
        </div>
      ))}
      <div class="day">
        <span />
        {HOURS.map((hour) => (
          <small key={hour}>{hour % 6 === 0 ? hour : ""}</small>
        ))}
      </div>
    </div>
  );
}

/** Whether some of the hour is quiet; hours over midnight belong to the day on which they begin. */
function isQuiet({ from, to, days }: QuietHours, day: number, hour: number): boolean {
  const [begins, ends] = [minuteOf(from), minuteOf(to)];
  const isOn = (at: number) => days === undefined || days.includes(DAYS[(at + 7) % 7] ?? "");
  const [first, last] = [hour * 60, hour * 60 + 60];
  if (begins < ends) return isOn(day) && first < ends && last > begins;
  return (isOn(day) && last > begins) || (isOn(day - 1) && first < ends);
}

function minuteOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}
