/**
 * Reads on the links to the bus which frames are acknowledged, and on those to DynamoDB what the journals hold by then (I6).
 *
 *     put J#s1#42 with the row in/17 = 4711 ──DynamoDB replies──▶ in the journal
 *     <ack stream="17" upto="4711"> from _42@…  before that  = a violation
 *
 * Both pass through this process: a host cannot have heard of a reply that was not seen here. A put whose reply never came may
 * have been applied, and its writer may read that later: it counts as applied.
 */
import { shardNamed, splitJid } from "@tidings/protocol";
import { decodeGroup } from "@tidings/store";
import type { DynamoReply } from "./dynamo-proxy.ts";
import type { DynamoRequest } from "./dynamo-request.ts";
import type { Violation } from "./invariants.ts";
import { StanzaScan } from "./stanza-scan.ts";

const ACK = /<message [^>]*?from="([^"]+)"[^>]*>\s*<ack [^>]*?stream="(\d+)" upto="(\d+)"/g;
const JOURNAL = /^J#[^#]+#(\d+)$/;
const STREAM = /^in\/(\d+)$/;
const TOLD = 5;

/** What is known of one shard's journal. */
interface Known {
  /** Of the newest record: those of lower epochs behind it are void. */
  epoch: number;
  /** Records of a group that is not complete. */
  parts: Buffer[];
  /** Highest sequence of each stream of frames that is applied. */
  readonly applied: Map<number, number>;
}

export class AckWatch {
  readonly #scan = new StanzaScan(ACK);
  readonly #journals = new Map<number, Known>();
  readonly #violations: Violation[] = [];
  #count = 0;

  /** How many acknowledgements were read since {@link restart}. */
  get count(): number {
    return this.#count;
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** Begins to count anew; what the journals hold stays known. */
  restart(): void {
    this.#violations.length = 0;
    this.#count = 0;
  }

  /** Takes a request to DynamoDB, with its reply when there is one. */
  writes({ keys, epoch, kind, blob }: DynamoRequest, reply: DynamoReply | null): void {
    const shard = JOURNAL.exec(keys[0]?.pk ?? "")?.[1];
    const isApplied = reply?.status === 200 || reply?.status === 0;
    if (shard === undefined || epoch === null || !isApplied) return;
    const known = this.#journal(Number(shard));
    if (epoch < known.epoch) return;
    if (epoch > known.epoch) known.parts = [];
    known.epoch = epoch;
    if (blob !== null) known.parts.push(blob);
    if (kind === "part") return;
    const group = known.parts.splice(0);
    if (group.length > 0) note(known, Buffer.concat(group));
  }

  /** Takes what a host has sent on a connection to the bus. */
  sees(link: string, connection: number, chunk: Buffer): void {
    for (const [, from = "", stream, upto] of this.#scan.in(`${link} ${connection}`, chunk)) {
      const shard = shardNamed(splitJid(from).local);
      if (shard !== null) this.#judge(shard, Number(stream), Number(upto));
    }
  }

  #judge(shard: number, stream: number, upto: number): void {
    this.#count++;
    const applied = this.#journal(shard).applied.get(stream) ?? 0;
    if (upto <= applied || this.#violations.length >= TOLD) return;
    const what = `shard ${shard} acknowledged frame ${upto} of shard ${stream} when its journal had ${applied}`;
    this.#violations.push({ invariant: "I6", what });
  }

  #journal(shard: number): Known {
    const known = this.#journals.get(shard) ?? { epoch: 0, parts: [], applied: new Map() };
    this.#journals.set(shard, known);
    return known;
  }
}

function note(known: Known, blob: Buffer): void {
  for (const { avatar, key, value } of decodeGroup(blob)) {
    const stream = shardNamed(avatar) === null ? undefined : STREAM.exec(key)?.[1];
    if (stream === undefined) continue;
    known.applied.set(Number(stream), Math.max(Number(value), known.applied.get(Number(stream)) ?? 0));
  }
}
