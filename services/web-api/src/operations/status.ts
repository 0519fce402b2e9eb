/** Whether all is well, in one line, and what is not: the command line and the page for operators say this. */
import { type FleetView, SHARDS } from "@tidings/protocol";
import { shardsOf } from "./fleet-view.ts";
import type { QueueDepth } from "./queue-depths.ts";

/** A queue that holds more than this is worth a person's look. */
const MANY = 1_000;

export interface Known {
  /** Null: the monitor does not answer. */
  readonly fleet: FleetView | null;
  readonly queues: readonly QueueDepth[];
  /** Dead letters, as far as they were counted. */
  readonly deadLetters: number;
  /** There are more than were counted. */
  readonly hasMore: boolean;
}

export interface Status {
  readonly isWell: boolean;
  readonly sentence: string;
  /** A sentence for each thing that is not as it should be. */
  readonly troubles: string[];
  /** Hosts that serve. */
  readonly hosts: number;
  /** Shards that a host says it serves. */
  readonly shards: number;
  /** Messages that wait in queues. */
  readonly waiting: number;
  readonly deadLetters: number;
}

/** The same for the same input. */
export function statusOf({ fleet, queues, deadLetters, hasMore }: Known): Status {
  const shards = fleet === null ? [] : shardsOf(fleet);
  const served = shards.filter(({ host }) => host !== null).length;
  const hosts = fleet?.hosts.filter(({ state }) => state === "serving").length ?? 0;
  const waiting = queues.reduce((sum, queue) => sum + queue.waiting, 0);
  const troubles = [
    ...(fleet === null
      ? ["The monitor does not answer: hosts go on, and nobody adds or replaces one."]
      : troublesOf(fleet, hosts, served)),
    ...queues
      .filter((queue) => queue.waiting > MANY)
      .map((queue) => `${queue.waiting} messages wait in ${queue.queue}.`),
    ...(deadLetters === 0
      ? []
      : [
          `${hasMore ? "More than " : ""}${counted(deadLetters, "dead letter", "dead letters")} can be replayed.`,
        ]),
  ];
  const isWell = troubles.length === 0;
  const known =
    fleet === null ? "" : `${counted(hosts, "host", "hosts")}, ${served} of ${SHARDS} shards served, `;
  const sentence = `${isWell ? "All well" : "Not well"}: ${known}${counted(waiting, "message waits", "messages wait")}`;
  return { isWell, sentence, troubles, hosts, shards: served, waiting, deadLetters };
}

function troublesOf({ hosts, wanted, problem }: FleetView, serving: number, served: number): string[] {
  return [
    ...(problem === null ? [] : [`Hosts cannot be started or stopped: ${problem}.`]),
    ...(serving < wanted ? [`${counted(serving, "host serves", "hosts serve")}, ${wanted} are wanted.`] : []),
    ...(served < SHARDS && wanted > 0
      ? [`${counted(SHARDS - served, "shard has", "shards have")} no host; what is for them waits.`]
      : []),
    ...hosts.filter(({ state }) => state === "silent").map(({ id }) => `${id} runs and says nothing.`),
    ...hosts
      .filter(({ load }) => (load?.parkedStreams ?? 0) > 0)
      .map(({ id, load }) => `${id} has ${load?.parkedStreams} streams of frames that nobody acknowledges.`),
  ];
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
