/** What becomes, once a day, of what nobody was there for. */
import { useSignal } from "@preact/signals";
import { draft } from "../drafts.ts";
import { Action, Choice, Field, Form } from "../parts/controls.tsx";
import { channelWord } from "../parts/words.ts";
import type { Rules } from "../types.ts";

const CHANNELS = ["email", "sms", "webhook"].map((one) => [one, channelWord(one)] as const);

interface Props {
  readonly rules: Rules;
  readonly put: (document: unknown) => Promise<void>;
}

export function HeldDigest({ rules, put }: Props) {
  const { digest } = rules.held;
  const at = draft("held/at", digest?.at ?? "08:00");
  const to = useSignal(digest?.to ?? "email");
  const send = () => put({ ...rules, held: { digest: { ...digest, at: at.value, to: to.value } } });
  return (
    <section>
      <h2>What is still held</h2>
      <p>{digest === null ? "It waits, and goes nowhere else." : sentenceOf(digest)}</p>
      <Form label="Send it so" send={send}>
        <Field label="Each day at" text={at} type="time" />
        <Choice label="By" value={to} all={CHANNELS} />
      </Form>
      {digest === null ? null : (
        <Action act={() => put({ ...rules, held: { digest: null } })}>Never send it elsewhere</Action>
      )}
    </section>
  );
}

function sentenceOf({ at, every, to }: NonNullable<Rules["held"]["digest"]>): string {
  const when = at === undefined ? `every ${every}` : `each day at ${at}`;
  return `It goes by ${channelWord(to)} in one message, ${when}.`;
}
