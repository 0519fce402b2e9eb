/** All dead letters of the installation: those of the 64 shards, one call each, and then RabbitMQ's. */
import {
  type DeadLetterView,
  QUEUES,
  SHARDS,
  shardLocalpart,
  shardOf,
  splitDeadLetterId,
} from "@tidings/protocol";
import type { AvatarCalls } from "./avatar-calls.ts";
import { type DeadQueue, listDeadQueue, replayFromDeadQueue } from "./dead-queue.ts";

export interface DeadLetterParts {
  readonly avatars: AvatarCalls;
  readonly queue: DeadQueue;
}

export interface DeadLetterPage {
  readonly items: readonly DeadLetterView[];
  /** Id to go on behind; null at the end. */
  readonly next: string | null;
}

/** At most `limit` dead letters behind the id `after`, in the order of the shards. Rejects with CallError when one does not answer. */
export async function listDeadLetters(
  { avatars, queue }: DeadLetterParts,
  after: string | null,
  limit: number,
): Promise<DeadLetterPage> {
  const first = after === null ? 0 : placeOf(after);
  const places = Array.from({ length: SHARDS + 1 - first }, (_, at) => first + at);
  const parts = await Promise.all(
    places.map(async (place) => {
      const from = place === first ? after : null;
      if (place === SHARDS) return behind(await listDeadQueue(queue), from);
      const args = { after: from, limit };
      return (await avatars.asService(shardLocalpart(place), "deadLetters", args)).items;
    }),
  );
  const all = parts.flat();
  const items = all.slice(0, limit);
  return { items, next: all.length < limit ? null : (items.at(-1)?.id ?? null) };
}

/** Has the dead letter `id` tried again, once. Rejects with CallError or Problem when there is none or it fails again. */
export async function replayDeadLetter(
  { avatars, queue }: DeadLetterParts,
  id: string,
  op: string | undefined,
): Promise<void> {
  const { owner, key } = splitDeadLetterId(id);
  if (owner === QUEUES.dead) await replayFromDeadQueue(queue, key);
  else await avatars.asService(shardLocalpart(shardOf(owner)), "replayDeadLetter", { id }, op);
}

/** The shard of an id, or 64 for the queue's. */
function placeOf(id: string): number {
  const { owner } = splitDeadLetterId(id);
  return owner === QUEUES.dead ? SHARDS : shardOf(owner);
}

function behind(items: readonly DeadLetterView[], after: string | null): readonly DeadLetterView[] {
  return after === null ? items : items.slice(items.findIndex(({ id }) => id === after) + 1);
}
