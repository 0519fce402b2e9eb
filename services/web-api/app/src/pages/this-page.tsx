/** The page itself as a way: first on the ladder where the reader wants it, and with notices of the browser. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api } from "../api.ts";
import { Action } from "../parts/controls.tsx";
import { allowNotices, browserNotices } from "../standing.ts";
import type { Rules, Step } from "../types.ts";

/** The page has so long to show it before the next way is used. */
const FIRST: readonly Step[] = [{ to: "web" }, { unless: "received", within: "PT1M" }];

export function ThisPage() {
  const rules = useSignal<Rules | null>(null);
  const read = async () => {
    rules.value = await api<Rules>("GET", "/v1/rules");
  };
  useEffect(() => void read().catch(() => undefined), []);
  const ladders = Object.entries(rules.value?.ladders ?? {});
  const isFirst = ladders.length > 0 && ladders.every(([, steps]) => steps[0]?.to === "web");
  const change = async () => {
    const now = await api<Rules>("GET", "/v1/rules");
    const changed = Object.entries(now.ladders).map(([name, steps]) => [
      name,
      isFirst ? without(steps) : [...FIRST, ...without(steps)],
    ]);
    await api("PUT", "/v1/rules", { ...now, ladders: Object.fromEntries(changed) });
    await read();
  };
  return (
    <li>
      <strong>This page</strong>
      <span class="quiet">
        {isFirst
          ? "is asked first while it is open; a minute later the next way is used."
          : "shows everything as it comes, whatever the rules say."}
      </span>
      {rules.value === null ? null : (
        <Action act={change}>{isFirst ? "Not first any more" : "Tell me here first"}</Action>
      )}
      <Notices isFirst={isFirst} />
    </li>
  );
}

function Notices({ isFirst }: { readonly isFirst: boolean }) {
  switch (browserNotices.value) {
    case "default":
      return <Action act={allowNotices}>Let the browser show them</Action>;
    case "granted":
      return (
        <span class="quiet">
          {isFirst
            ? "While it is behind others, the browser shows what comes."
            : "The browser may show what comes; it does where the page is told first."}
        </span>
      );
    case "denied":
      return (
        <span class="quiet">
          Your browser shows none of its notices; allow them in its settings for this site.
        </span>
      );
    case null:
      return null;
  }
}

/** The ladder without the page at its start. */
function without(steps: readonly Step[]): readonly Step[] {
  const [first, second, ...rest] = steps;
  if (first?.to !== "web") return steps;
  return second?.unless === undefined ? steps.slice(1) : rest;
}
