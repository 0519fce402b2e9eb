/** Where each kind goes, one step after the other: sentences that can be moved, taken away and added to. */
import { useSignal } from "@preact/signals";
import { draft } from "../drafts.ts";
import { Action, Choice, Field, Form } from "../parts/controls.tsx";
import { channelWord } from "../parts/words.ts";
import type { Rules, Step } from "../types.ts";

type Put = (document: unknown) => Promise<void>;

const CHANNELS = ["im", "web", "sms", "email", "webhook"];
const WHEN = [
  ["", "at once when that cannot be"],
  ["received", "if it was not received in time"],
  ["acked", "if I have not acted on it in time"],
  ["wait", "after a while"],
] as const;

export function Ladders({ rules, put }: { readonly rules: Rules; readonly put: Put }) {
  return (
    <section>
      <h2>Where it goes</h2>
      {Object.entries(rules.ladders).map(([name, steps]) => (
        <Ladder key={name} name={name} steps={steps} put={(next) => put(withLadder(rules, name, next))} />
      ))}
    </section>
  );
}

function withLadder(rules: Rules, name: string, steps: readonly Step[]): Rules {
  return { ...rules, ladders: { ...rules.ladders, [name]: steps } };
}

interface LadderProps {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly put: (steps: readonly Step[]) => Promise<void>;
}

function Ladder({ name, steps, put }: LadderProps) {
  const isEdited = useSignal(false);
  const title = name === "default" ? "Everything else" : name;
  return (
    <div class="ladder">
      <h3>{title}</h3>
      <ol>
        {steps.map((step, at) => (
          <li key={`${at} ${JSON.stringify(step)}`}>
            {sentenceOfStep(step)}
            {isEdited.value ? <StepActions steps={steps} at={at} put={put} /> : null}
          </li>
        ))}
      </ol>
      {isEdited.value ? <AddStep ladder={name} add={(more) => put([...steps, ...more])} /> : null}
      <button
        type="button"
        aria-expanded={isEdited.value}
        onClick={() => {
          isEdited.value = !isEdited.value;
        }}
      >
        {isEdited.value ? "Leave it so" : "Change"}
        <span class="hidden"> {title}</span>
      </button>
    </div>
  );
}

function StepActions({ steps, at, put }: Omit<LadderProps, "name"> & { readonly at: number }) {
  const step = steps[at] as Step;
  const others = withoutEnd(steps.filter((_, other) => other !== at));
  return (
    <>
      {at === 0 ? null : (
        <Action act={() => put(withoutEnd(moved(steps, at)))}>
          Up<span class="hidden"> {sentenceOfStep(step)}</span>
        </Action>
      )}
      {others.length === 0 ? null : (
        <Action act={() => put(others)}>
          Remove<span class="hidden"> {sentenceOfStep(step)}</span>
        </Action>
      )}
    </>
  );
}

function AddStep({
  ladder,
  add,
}: {
  readonly ladder: string;
  readonly add: (steps: Step[]) => Promise<void>;
}) {
  const when = useSignal<string>("received");
  const channel = useSignal("email");
  const minutes = draft(`ladder/${ladder}/minutes`, "5");
  const send = async () => add([...waitOf(when.value, minutes.value), { to: channel.value }]);
  return (
    <Form label="Add" send={send}>
      <Choice
        label="And then by"
        value={channel}
        all={CHANNELS.map((one) => [one, channelWord(one)] as const)}
      />
      <Choice label="When" value={when} all={WHEN} />
      {when.value === "" ? null : <Field label="Minutes" text={minutes} />}
    </Form>
  );
}

function waitOf(when: string, minutes: string): Step[] {
  if (when === "") return [];
  const count = Number(minutes);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new Error("Type a whole number of minutes, such as 5.");
  return [when === "wait" ? { wait: `PT${count}M` } : { unless: when, within: `PT${count}M` }];
}

/** The step one place further up. */
function moved(steps: readonly Step[], at: number): readonly Step[] {
  const others = steps.filter((_, other) => other !== at);
  return others.toSpliced(at - 1, 0, steps[at] as Step);
}

/** Nothing is waited for where nothing comes after it. */
function withoutEnd(steps: readonly Step[]): readonly Step[] {
  const isRung = ({ to, destination }: Step) => to !== undefined || destination !== undefined;
  return steps.slice(0, steps.findLastIndex(isRung) + 1);
}

function sentenceOfStep({ to, destination, wait, unless, within, when }: Step): string {
  if (wait !== undefined) return `wait ${durationWord(wait)}`;
  if (unless !== undefined) return `if it was not ${unless} in ${durationWord(within ?? "")}, go on`;
  const place = to === undefined ? `the way ${destination}` : channelWord(to);
  return when?.presence === undefined ? place : `${place} while you are ${when.presence.join(" or ")}`;
}

function durationWord(iso: string): string {
  return iso.replace(/^PT?/, "").replace("T", " ").replace("H", " h").replace("M", " min").replace("S", " s");
}
