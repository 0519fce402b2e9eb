/** Where the reader can be told. */
import { useSignal } from "@preact/signals";
import { api, onlyOnce } from "../api.ts";
import { draft } from "../drafts.ts";
import { me } from "../live.ts";
import { Action, Copyable, Field, Form, Trouble } from "../parts/controls.tsx";
import { QrCode } from "../parts/qr-code.tsx";
import { useList } from "../parts/resource.ts";
import { channelWord, meaningOf } from "../parts/words.ts";
import type { Destination } from "../types.ts";
import { ThisPage } from "./this-page.tsx";

const HINTS: Readonly<Record<string, string>> = {
  im: "A chat address (XMPP), such as alice@example.org.",
  sms: "A telephone number with its country, such as +44 7700 900123.",
  email: "A mail address.",
  webhook: "An https address to which is posted.",
};

export function Ways() {
  const ways = useList<Destination>("/v1/destinations");
  return (
    <>
      <ChatProgram />
      <Trouble sentence={ways.trouble.value} />
      <ul class="rows">
        <ThisPage />
        {ways.items.value?.map((way) => (
          <Way key={way.id} way={way} read={ways.read} />
        ))}
      </ul>
      <AddWay read={ways.read} />
    </>
  );
}

/** How a chat program becomes a way: by hand, by a link (XEP-0147), or by a telephone's camera. */
function ChatProgram() {
  const { jid = "", agent = "" } = me.value ?? {};
  const link = `xmpp:${agent}?message`;
  return (
    <section class="connect">
      <div>
        <p>
          Any XMPP client signs in as <Copyable text={jid} label="your chat address" /> with your password;
          the contact <bdi>{agent}</bdi> brings what is new.
        </p>
        <a class="button" href={link}>
          Open it in your chat program
        </a>
      </div>
      {agent === "" ? null : <QrCode text={link} label={`QR code of ${link}`} />}
    </section>
  );
}

function Way({ way, read }: { readonly way: Destination; readonly read: () => Promise<void> }) {
  const { id, channel, address, state, problem, howTo, code } = way;
  const reading = async (asked: Promise<unknown>) => {
    await asked;
    await read();
  };
  return (
    <li>
      <strong>{channelWord(channel)}</strong> <bdi>{address}</bdi>
      <span data-meaning={meaningOf(state)}>{state}</span>
      {problem === null ? null : <p class="trouble">{problem}</p>}
      {howTo === null ? null : <p>{howTo}</p>}
      {code === null ? null : <Copyable text={code} label="the code" />}
      {state === "unverified" && channel !== "im" ? <Verify id={id} read={read} /> : null}
      {state === "verified" ? (
        <Action act={() => api("POST", `/v1/destinations/${id}/test`, {})}>Send a test</Action>
      ) : null}
      {id === "im" ? null : (
        <Action act={() => reading(api("DELETE", `/v1/destinations/${id}`))}>Remove</Action>
      )}
    </li>
  );
}

function Verify({ id, read }: { readonly id: string; readonly read: () => Promise<void> }) {
  const code = draft(`code/${id}`);
  const send = async () => {
    await api("POST", `/v1/destinations/${id}/verify`, { code: code.value.trim() });
    code.value = "";
    await read();
  };
  return (
    <Form label="Verify" send={send}>
      <Field label="The code that was sent there" text={code} autoComplete="one-time-code" />
    </Form>
  );
}

function AddWay({ read }: { readonly read: () => Promise<void> }) {
  const channel = useSignal("im");
  const address = draft("way");
  const send = async (key: string) => {
    const way = { channel: channel.value, address: address.value.trim() };
    await api("POST", "/v1/destinations", way, onlyOnce(key));
    address.value = "";
    await read();
  };
  return (
    <section>
      <h3>Another way</h3>
      <Form label="Add" send={send}>
        <label class="field">
          <span>Kind</span>
          <select
            value={channel.value}
            onChange={(event) => {
              channel.value = event.currentTarget.value;
            }}
          >
            {Object.keys(HINTS).map((kind) => (
              <option key={kind} value={kind}>
                {channelWord(kind)}
              </option>
            ))}
          </select>
        </label>
        <Field label="Address" text={address} hint={HINTS[channel.value] ?? ""} />
      </Form>
    </section>
  );
}
