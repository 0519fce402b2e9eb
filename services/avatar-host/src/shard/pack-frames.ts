/** What a frame holds: events packed within the limits, and when they were sealed. */
import { type AddressedEvent, FRAME_BYTES, FRAME_RECIPIENTS, type Shard, shardOf } from "@tidings/protocol";

export interface OutgoingEntry {
  readonly json: string;
  readonly recipients: number;
}

/** Splits the recipients of each event by their shard; an event is serialised once for all of them. */
export function entriesByShard(told: readonly AddressedEvent[]): Map<Shard, OutgoingEntry[]> {
  const byShard = new Map<Shard, OutgoingEntry[]>();
  for (const { from, to, event } of told) {
    const json = JSON.stringify(event);
    for (const [shard, names] of Map.groupBy(to, shardOf)) {
      const entries = byShard.get(shard) ?? [];
      for (let at = 0; at < names.length; at += FRAME_RECIPIENTS) {
        const part = names.slice(at, at + FRAME_RECIPIENTS);
        const head = JSON.stringify({ from, to: part }).slice(0, -1);
        entries.push({ json: `${head},"event":${json}}`, recipients: part.length });
      }
      byShard.set(shard, entries);
    }
  }
  return byShard;
}

/** Packs entries into frame bodies, sealed at `at`, within the limits of recipients and bytes. */
export function framesOf(entries: readonly OutgoingEntry[], at: number): string[] {
  const frames: string[] = [];
  let parts: string[] = [];
  let recipients = 0;
  let bytes = 0;
  for (const entry of entries) {
    const length = Buffer.byteLength(entry.json);
    const isFull = recipients + entry.recipients > FRAME_RECIPIENTS || bytes + length > FRAME_BYTES;
    if (isFull && parts.length > 0) {
      frames.push(bodyOf(parts, at));
      parts = [];
      recipients = 0;
      bytes = 0;
    }
    parts.push(entry.json);
    recipients += entry.recipients;
    bytes += length;
  }
  frames.push(bodyOf(parts, at));
  return frames;
}

function bodyOf(parts: readonly string[], at: number): string {
  return `{"sealedAt":${at},"events":[${parts.join(",")}]}`;
}

/** The body that takes the place of a frame that went to the dead letters: the numbers of the stream stay without a gap. */
export function emptied(json: string): string {
  return bodyOf([], sealedAtOf(json));
}

export function isEmptied(json: string): boolean {
  return json.endsWith('"events":[]}');
}

/** When the frame was sealed, epoch milliseconds; 0 when it does not say. Read without parsing what may be 60 KB. */
export function sealedAtOf(json: string): number {
  return Number(/^\{"sealedAt":(\d+),/.exec(json)?.[1] ?? 0);
}
