/** The few controls that everything is made of. */
import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { newKey, sentenceOf } from "../api.ts";
import { age, exactly } from "../times.ts";

export function Time({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={exactly(at)}>
      {age(at)}
    </time>
  );
}

/** What went wrong, and what to do. */
export function Trouble({ sentence }: { readonly sentence: string | null }) {
  return sentence === null ? null : (
    <p class="trouble" role="alert">
      {sentence}
    </p>
  );
}

interface FieldProps {
  readonly label: string;
  readonly text: Signal<string>;
  readonly type?: "text" | "password" | "url" | "time";
  readonly hint?: string;
  readonly autoComplete?: string;
  readonly placeholder?: string;
}

export function Field({ label, text, hint, type = "text", ...rest }: FieldProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        {...rest}
        // The types of JSX have an element for each; here it is one of them.
        type={type as "text"}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
      />
      {hint === undefined ? null : <small>{hint}</small>}
    </label>
  );
}

/** One of several words. */
export function Choice({
  label,
  value,
  all,
}: {
  readonly label: string;
  readonly value: { value: string };
  /** What is chosen, or that and the words for it. */
  readonly all: readonly (string | readonly [string, string])[];
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
        {all.map((one) => {
          const [chosen, words] = typeof one === "string" ? [one, one] : one;
          return (
            <option key={chosen} value={chosen}>
              {words}
            </option>
          );
        })}
      </select>
    </label>
  );
}

/** A button that does one thing at a time, and says what went wrong beside it. */
export function Action({
  children,
  act,
  kind = "plain",
}: {
  readonly children: ComponentChildren;
  readonly act: () => Promise<unknown>;
  readonly kind?: "plain" | "main" | "danger";
}) {
  const isBusy = useSignal(false);
  const trouble = useSignal<string | null>(null);
  const press = async () => {
    if (isBusy.value) return;
    [isBusy.value, trouble.value] = [true, null];
    await act().catch((error: unknown) => {
      trouble.value = sentenceOf(error);
    });
    isBusy.value = false;
  };
  return (
    <>
      <button type="button" class={kind} aria-disabled={isBusy.value} onClick={() => void press()}>
        {children}
      </button>
      <Trouble sentence={trouble.value} />
    </>
  );
}

/** A form that sends once, and keeps what was typed until that went well. `send` is given a key for {@link onlyOnce}. */
export function Form({
  children,
  label,
  send,
}: {
  readonly children: ComponentChildren;
  readonly label: string;
  readonly send: (key: string) => Promise<unknown>;
}) {
  const key = useSignal(newKey());
  const isBusy = useSignal(false);
  const trouble = useSignal<string | null>(null);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    [isBusy.value, trouble.value] = [true, null];
    try {
      await send(key.value);
      key.value = newKey();
    } catch (error) {
      trouble.value = sentenceOf(error);
    }
    isBusy.value = false;
  };
  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      {children}
      <button type="submit" class="main" aria-disabled={isBusy.value}>
        {isBusy.value ? "…" : label}
      </button>
      <Trouble sentence={trouble.value} />
    </form>
  );
}

/** Text with a button that copies it. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }) {
  const isCopied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    isCopied.value = true;
    setTimeout(() => {
      isCopied.value = false;
    }, 2_000);
  };
  return (
    <span class="copyable">
      <code>{text}</code>
      <button type="button" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        {isCopied.value ? "Copied" : "Copy"}
      </button>
    </span>
  );
}
