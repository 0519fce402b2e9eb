/** What Tidings believes of the reader now, and, asked, what it would do with something that came this minute. */
import { useSignal } from "@preact/signals";
import { api, sentenceOf } from "../api.ts";
import { me, presence } from "../live.ts";
import { clockOf } from "../times.ts";
import type { Simulation } from "../types.ts";
import { channelWord, presenceLine } from "./words.ts";

const KINDS = [
  ["urgent", "Something urgent"],
  ["default", "Anything else"],
] as const;

export function Belief() {
  const said = useSignal<readonly string[] | null>(null);
  const ask = async () => {
    if (said.value !== null) {
      said.value = null;
      return;
    }
    try {
      said.value = await Promise.all(KINDS.map(([priority, words]) => wouldDo(priority, words)));
    } catch (error) {
      said.value = [sentenceOf(error)];
    }
  };
  const pausedUntil = me.value?.pausedUntil ?? null;
  return (
    <div class="foot">
      <button type="button" class="link" aria-expanded={said.value !== null} onClick={() => void ask()}>
        {presenceLine(presence.value)}
        {pausedUntil === null ? "" : ", paused"}
      </button>
      <div role="status">
        {said.value === null ? null : (
          <ul>
            {presence.value.map(({ address, resource, show, idleSince }) => (
              <li key={`${address}/${resource}`}>
                <bdi>{resource === "" ? address : resource}</bdi>: {show}
                {idleSince === null ? "" : `, idle since ${clockOf(idleSince)}`}
              </li>
            ))}
          </ul>
        )}
        {said.value?.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
      </div>
    </div>
  );
}

async function wouldDo(priority: string, words: string): Promise<string> {
  const asked = { notification: { title: words, priority } };
  const { decisions } = await api<Simulation>("POST", "/v1/rules/simulate", asked);
  const goes = decisions
    .filter(({ action }) => action === "dispatch")
    .map(({ channel }) => channelWord(channel));
  if (goes.length > 0) return `${words} would go by ${goes.join(" and ")} now.`;
  const held = decisions.find(({ action }) => action === "hold");
  return `${words} would be held: ${held?.reason ?? "there is nowhere to send it"}.`;
}
