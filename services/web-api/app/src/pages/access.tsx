/** Who may ask in the reader's name: where they are signed in, and tokens for programs. */
import { useSignal } from "@preact/signals";
import { api, onlyOnce } from "../api.ts";
import { draft } from "../drafts.ts";
import { Action, Copyable, Field, Form, Time, Trouble } from "../parts/controls.tsx";
import { useList } from "../parts/resource.ts";
import type { Session, Token } from "../types.ts";

const SCOPES = [
  ["read", "see everything"],
  ["act", "do something with notifications"],
  ["write", "change sources, ways and rules"],
] as const;

export function Sessions() {
  const sessions = useList<Session>("/v1/sessions");
  const end = async (id: string) => {
    await api("DELETE", `/v1/sessions/${id}`);
    await sessions.read();
  };
  return (
    <section>
      <h3>Where you are signed in</h3>
      <Trouble sentence={sessions.trouble.value} />
      <ul class="rows">
        {sessions.items.value?.map(({ id, label, createdAt, isCurrent }) => (
          <li key={id}>
            <bdi class="label">{label === "" ? "a program" : label}</bdi>
            <span class="quiet">
              since <Time at={createdAt} />
            </span>
            {isCurrent ? <span data-meaning="delivered">here</span> : null}
            {isCurrent ? null : <Action act={() => end(id)}>Sign out there</Action>}
          </li>
        ))}
      </ul>
    </section>
  );
}

export function Tokens() {
  const tokens = useList<Token>("/v1/tokens");
  const made = useSignal<string | null>(null);
  const end = async (id: string) => {
    await api("DELETE", `/v1/tokens/${id}`);
    await tokens.read();
  };
  return (
    <section>
      <h3>Tokens for programs</h3>
      <p class="quiet">
        A program asks with one as <code>Authorization: Bearer</code>; what it can ask is in{" "}
        <a href="/docs">the reference</a>.
      </p>
      <Trouble sentence={tokens.trouble.value} />
      {made.value === null ? null : (
        <p role="status">
          Copy it now, it is not shown again: <Copyable text={made.value} label="the token" />
        </p>
      )}
      <ul class="rows">
        {tokens.items.value?.map(({ id, title, scopes }) => (
          <li key={id}>
            <bdi>{title}</bdi> <span class="quiet">{scopes.join(", ")}</span>
            <Action act={() => end(id)}>Remove</Action>
          </li>
        ))}
      </ul>
      <NewToken
        told={async (token) => {
          made.value = token;
          await tokens.read();
        }}
      />
    </section>
  );
}

function NewToken({ told }: { readonly told: (token: string) => Promise<void> }) {
  const title = draft("token");
  const scopes = useSignal<ReadonlySet<string>>(new Set(["read"]));
  const send = async (key: string) => {
    const wanted = { title: title.value.trim(), scopes: [...scopes.value] };
    if (wanted.title === "") throw new Error("Say what it is for, so that you know it later.");
    if (wanted.scopes.length === 0) throw new Error("Choose at least one thing that it may do.");
    const { token } = await api<{ token: string }>("POST", "/v1/tokens", wanted, onlyOnce(key));
    title.value = "";
    await told(token);
  };
  return (
    <Form label="Make a token" send={send}>
      <Field label="What it is for" text={title} />
      <fieldset>
        <legend>It may</legend>
        {SCOPES.map(([scope, words]) => (
          <label key={scope} class="choice">
            <input
              type="checkbox"
              checked={scopes.value.has(scope)}
              onChange={({ currentTarget }) => {
                const others = [...scopes.value].filter((one) => one !== scope);
                scopes.value = new Set(currentTarget.checked ? [...others, scope] : others);
              }}
            />
            {words}
          </label>
        ))}
      </fieldset>
    </Form>
  );
}
