import { ackStanza } from "@tidings/protocol";
import { beforeEach, expect, test } from "vitest";
import { encodeGroup } from "../../packages/store/src/group-codec.ts";
import { AckWatch } from "./ack-watch.ts";
import type { DynamoReply } from "./dynamo-proxy.ts";

const REPLIED: DynamoReply = { status: 200, isPassedOn: true };
const REFUSED: DynamoReply = { status: 400, isPassedOn: true };
const LOST: DynamoReply = { status: 0, isPassedOn: false };

let watch = new AckWatch();

beforeEach(() => {
  watch = new AckWatch();
});

/** Shard 42 puts a record saying that frame `seq` of shard 17 is applied. */
function puts(seq: number, reply: DynamoReply | null, epoch = 3): void {
  const blob = Buffer.from(encodeGroup([{ avatar: "_42", key: "in/17", value: String(seq) }]));
  const request = { operation: "PutItem", table: "t", isWrite: true, kind: "write", epoch, blob };
  watch.writes({ ...request, keys: [{ pk: "J#s1#42", sk: "1" }] }, reply);
}

function acknowledges(upto: number): void {
  const stanza = ackStanza("s1.avatars.test", 42, { stream: 17, upto, credit: 32 });
  watch.sees("h1 to bus", 0, Buffer.from(stanza.toString()));
}

test("an acknowledgement behind its record is good", () => {
  puts(4711, null);
  puts(4711, REPLIED);
  acknowledges(4711);
  acknowledges(4000);
  expect(watch.violations).toEqual([]);
  expect(watch.count).toBe(2);
});

test("one that leaves while the put is under way, or was refused, is a violation", () => {
  puts(4711, null);
  acknowledges(4711);
  expect(watch.violations).toMatchObject([{ invariant: "I6" }]);
  watch.restart();
  puts(4711, REFUSED);
  acknowledges(4711);
  expect(watch.violations).toHaveLength(1);
});

test("a put of which nobody knows may be in the journal", () => {
  puts(4711, LOST);
  acknowledges(4711);
  expect(watch.violations).toEqual([]);
});

test("what a deposed owner puts behind the fence of its successor counts for nothing", () => {
  puts(1, REPLIED, 4);
  puts(2, REPLIED, 3);
  acknowledges(2);
  expect(watch.violations).toHaveLength(1);
});
