/** The account: sessions, the private feed, tokens, everything as a file, and the end. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, isSignedIn } from "../api.ts";
import { draft } from "../drafts.ts";
import { close, me } from "../live.ts";
import { Action, Copyable, Field, Form } from "../parts/controls.tsx";
import { follow } from "../router.ts";
import { Sessions, Tokens } from "./access.tsx";

interface FeedLink {
  readonly rss: string | null;
  readonly atom: string | null;
  readonly json: string | null;
}

export function Account() {
  const leave = async () => {
    await api("DELETE", "/v1/sessions/current");
    close();
    isSignedIn.value = false;
  };
  return (
    <>
      <h2>{me.value?.name}</h2>
      <Action act={leave}>Sign out</Action>
      <Sessions />
      <PrivateFeed />
      <Tokens />
      <section>
        <h3>Everything as a file</h3>
        <a class="button" href="/v1/me/export" download="tidings.json">
          Export
        </a>
      </section>
      <p class="quiet">
        You run this installation?{" "}
        <a href="/operations" onClick={follow}>
          Operations
        </a>
      </p>
      <Erase />
    </>
  );
}

function PrivateFeed() {
  const link = useSignal<FeedLink | null>(null);
  const read = async (asked: Promise<FeedLink | null>) => {
    link.value = (await asked) ?? { rss: null, atom: null, json: null };
  };
  useEffect(() => void read(api<FeedLink>("GET", "/v1/feed")).catch(() => undefined), []);
  const { rss = null, atom = null, json = null } = link.value ?? {};
  return (
    <section>
      <h3>Private feed</h3>
      <p class="quiet">Your history for a feed reader. Whoever has the address can read it.</p>
      {[rss, atom, json].map((url) =>
        url === null ? null : <Copyable key={url} text={url} label="the address" />,
      )}
      <Action act={() => read(api<FeedLink>("POST", "/v1/feed/rotate", {}))}>
        {rss === null ? "Make an address" : "Change the address"}
      </Action>
      {rss === null ? null : <Action act={() => read(api<null>("DELETE", "/v1/feed"))}>Take it away</Action>}
    </section>
  );
}

function Erase() {
  const typed = draft("erase");
  const erase = async () => {
    if (typed.value.trim() !== me.value?.name) throw new Error("Type your name to say that you mean it.");
    await api("DELETE", "/v1/me");
    typed.value = "";
    close();
    isSignedIn.value = false;
  };
  return (
    <section class="erase">
      <h3>Erase everything</h3>
      <p>Your account, your history and all that belongs to it end at once and for good.</p>
      <Form label="Erase" send={erase}>
        <Field label={`Type ${me.value?.name ?? "your name"}`} text={typed} />
      </Form>
    </section>
  );
}
