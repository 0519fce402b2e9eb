/** The avatar hosts: each with its load, lines of the last hour, and how many there are to be. */
import { draft } from "../drafts.ts";
import { type Fleet, operations } from "../operator.ts";
import { Action, Field, Form, Time } from "./controls.tsx";
import { Figures } from "./figures.tsx";

const MEGABYTE = 1_048_576;

export function Hosts({ fleet, read }: { readonly fleet: Fleet; readonly read: () => Promise<void> }) {
  const drain = async (id: string) => {
    await operations("POST", `/hosts/${id}/drain`, {});
    await read();
  };
  return (
    <section>
      <h2>Hosts</h2>
      <table>
        <thead>
          <tr>
            {["Host", "State", "Shards", "Awake", "Commits/s", "Busy", "Memory", ""].map((word) => (
              <th key={word} scope="col">
                {word === "" ? <span class="hidden">Actions</span> : word}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {fleet.items.map((host) => (
            <tr key={host.id}>
              <th scope="row">{host.id}</th>
              <td data-meaning={host.state === "serving" ? "delivered" : "held"}>{host.state}</td>
              <td>{host.shards}</td>
              <td>{host.awakeAvatars ?? "–"}</td>
              <td>{host.commitsPerSecond === null ? "–" : host.commitsPerSecond.toFixed(1)}</td>
              <td>{host.busy === null ? "–" : `${Math.round(host.busy * 100)} %`}</td>
              <td>{host.residentBytes === null ? "–" : `${Math.round(host.residentBytes / MEGABYTE)} MB`}</td>
              <td>
                <Action act={() => drain(host.id)}>
                  Drain<span class="hidden"> {host.id}</span>
                </Action>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">
        {fleet.wanted} wanted, between {fleet.least} and {fleet.most}.
      </p>
      <Scale fleet={fleet} read={read} />
      <Figures />
      <Decisions fleet={fleet} />
    </section>
  );
}

function Scale({ fleet, read }: { readonly fleet: Fleet; readonly read: () => Promise<void> }) {
  const count = draft("scale", String(fleet.wanted));
  const send = async () => {
    const hosts = Number(count.value);
    if (!Number.isSafeInteger(hosts)) throw new Error("Type a whole number, such as 3.");
    await operations("POST", "/scale", { hosts });
    await read();
  };
  return (
    <Form label="Scale" send={send}>
      <Field label="At least so many hosts" text={count} />
    </Form>
  );
}

function Decisions({ fleet }: { readonly fleet: Fleet }) {
  if (fleet.decisions.length === 0) return null;
  return (
    <>
      <h3>Why so many</h3>
      <ul class="rows">
        {fleet.decisions.slice(0, 5).map(({ at, wanted, reason }) => (
          <li key={at}>
            <Time at={at} /> {wanted}: {reason}
          </li>
        ))}
      </ul>
    </>
  );
}
