/** For operators: whether all is well, and what to do about it. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, sentenceOf } from "../api.ts";
import { draft } from "../drafts.ts";
import {
  becomeOperator,
  type DeadLetter,
  endOperator,
  type Fleet,
  operations,
  operatorToken,
  type Queue,
  type Shard,
  type Status,
} from "../operator.ts";
import { Action, Field, Form, Time, Trouble } from "../parts/controls.tsx";
import { Hosts } from "../parts/hosts.tsx";
import { ShardMap } from "../parts/shard-map.tsx";
import type { List } from "../types.ts";

const READ_EVERY_MS = 3_000;
const MOST_QUEUES = 12;

interface Seen {
  readonly status: Status;
  readonly fleet: Fleet;
  readonly shards: readonly Shard[];
  readonly queues: readonly Queue[];
  readonly letters: readonly DeadLetter[];
}

export function Operations() {
  return operatorToken.value === null ? <Door /> : <Inside />;
}

function Door() {
  const token = draft("operator");
  const send = async () => {
    await becomeOperator(token.value.trim()).catch((error: unknown) => {
      throw error instanceof ApiError && error.status === 404
        ? new Error("This is not the operators' token; it is in the state folder, in secrets/operator.")
        : error;
    });
    token.value = "";
  };
  return (
    <>
      <p class="quiet">
        For who runs this installation. The token is in its state folder, in secrets/operator.
      </p>
      <Form label="Show operations" send={send}>
        <Field label="The operators' token" text={token} type="password" autoComplete="off" />
      </Form>
    </>
  );
}

function Inside() {
  const seen = useSignal<Seen | null>(null);
  const trouble = useSignal<string | null>(null);
  const read = async () => {
    try {
      seen.value = await readAll();
      trouble.value = null;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) endOperator();
      trouble.value = sentenceOf(error);
    }
  };
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const { value: now } = seen;
  return (
    <>
      <Trouble sentence={trouble.value} />
      {now === null ? (
        <p class="quiet">Asking the monitor…</p>
      ) : (
        <>
          <Truth status={now.status} />
          <Hosts fleet={now.fleet} read={read} />
          <ShardMap shards={now.shards} />
          <Queues queues={now.queues} />
          <Letters letters={now.letters} read={read} />
        </>
      )}
      <Action act={async () => endOperator()}>Forget the token</Action>
    </>
  );
}

async function readAll(): Promise<Seen> {
  const [status, fleet, shards, queues, letters] = await Promise.all([
    operations<Status>("GET", "/status"),
    operations<Fleet>("GET", "/hosts"),
    operations<List<Shard>>("GET", "/shards"),
    operations<List<Queue>>("GET", "/queues"),
    operations<List<DeadLetter>>("GET", "/dead-letters?limit=50"),
  ]);
  return { status, fleet, shards: shards.items, queues: queues.items, letters: letters.items };
}

/** One line that says whether all is well, and the reasons when it is not. */
function Truth({ status: { isWell, sentence, troubles } }: { readonly status: Status }) {
  return (
    <>
      <p class="truth" role="status" data-meaning={isWell ? "delivered" : "failed"}>
        {sentence}.
      </p>
      {troubles.map((trouble) => (
        <p key={trouble}>{trouble}</p>
      ))}
    </>
  );
}

function Queues({ queues }: { readonly queues: readonly Queue[] }) {
  const waiting = queues.filter((queue) => queue.waiting > 0).slice(0, MOST_QUEUES);
  return (
    <section>
      <h2>Queues</h2>
      {waiting.length === 0 ? <p class="quiet">Nothing waits in any of the {queues.length} queues.</p> : null}
      <ul class="rows">
        {waiting.map((queue) => (
          <li key={queue.queue}>
            <code>{queue.queue}</code> {queue.waiting} waiting
          </li>
        ))}
      </ul>
    </section>
  );
}

function Letters({
  letters,
  read,
}: {
  readonly letters: readonly DeadLetter[];
  readonly read: () => Promise<void>;
}) {
  const replay = async (id: string) => {
    await operations("POST", `/dead-letters/${encodeURIComponent(id)}/replay`, {});
    await read();
  };
  return (
    <section>
      <h2>Dead letters</h2>
      {letters.length === 0 ? <p class="quiet">None: everything was taken.</p> : null}
      <ul class="rows">
        {letters.map(({ id, owner, at, kind, error }) => (
          <li key={id}>
            <strong>{kind}</strong> <bdi>{owner}</bdi> {at === null ? null : <Time at={at} />}
            <span class="quiet">{error}</span>
            <Action act={() => replay(id)}>Replay</Action>
          </li>
        ))}
      </ul>
    </section>
  );
}
