import { type Element, Parser } from "@xmpp/xml";
import { expect, test } from "vitest";
import {
  answerStanza,
  CallError,
  callStanza,
  readAnswer,
  readCall,
  readError,
  refusalStanza,
} from "./calls.ts";
import { busChild, type Report, readReports, reportsStanza } from "./deliveries.ts";
import { ackStanza, frameStanza, readAck, readFrame } from "./frames.ts";
import { feedSource, itemId } from "./notification.ts";
import { MalformedError } from "./schema.ts";
import { isSendable } from "./text.ts";

/** The stanza that stands in `text`. */
function parse(text: string): Element {
  const parser = new Parser();
  let parsed: Element | undefined;
  parser.on("element", (element) => {
    parsed = element;
  });
  parser.write(`<stream>${text}`);
  if (parsed === undefined) throw new Error("no whole stanza");
  return parsed;
}

/** The child of `stanza` in the project's namespace, after a journey as text. */
function arrived(stanza: Element): Element {
  const child = busChild(parse(stanza.toString()));
  if (child === undefined) throw new Error("nothing of ours in the stanza");
  return child;
}

const silo = "s1.avatars.d";
const body = {
  events: [
    { from: "rss.1", to: ["alice"], event: { type: "subscribed" as const, url: "https://e.org/?a=1&b=<2>" } },
  ],
};

test("a frame arrives as it was sent", () => {
  const stanza = frameStanza(silo, 42, { stream: 17, seq: 4711, epoch: 3 }, JSON.stringify(body));
  expect(stanza.attrs).toMatchObject({ from: `_17@${silo}`, to: `_42@${silo}`, id: "f:17:42:4711" });
  expect(readFrame(arrived(stanza))).toEqual({ stream: 17, seq: 4711, epoch: 3, body });
});

test("an acknowledgement arrives as it was sent", () => {
  const ack = { stream: 17, upto: 4711, credit: 0 };
  expect(readAck(arrived(ackStanza(silo, 42, ack)))).toEqual(ack);
});

test.each(["", "-1", "1.5", "x", "9007199254740993"])(
  "a frame with the sequence number %j is malformed",
  (seq) => {
    const stanza = frameStanza(silo, 42, { stream: 17, seq: 1, epoch: 3 }, JSON.stringify(body));
    const frame = arrived(stanza);
    frame.attrs.seq = seq;
    if (seq === "") delete frame.attrs.seq;
    expect(() => readFrame(frame)).toThrow(MalformedError);
  },
);

test.each([
  "{}",
  "[]",
  "not JSON",
  '{"events":[{"from":"a","to":[],"event":{"type":"unsubscribed"}}]}',
  '{"events":[{"from":"a","to":["b"],"event":{"type":"exploded"}}]}',
])("a frame with the body %s is malformed", (json) => {
  expect(() => readFrame(arrived(frameStanza(silo, 42, { stream: 17, seq: 1, epoch: 3 }, json)))).toThrow(
    MalformedError,
  );
});

test("a call arrives as it was made, as a set when it changes something", () => {
  const call = { name: "unsubscribe", op: "operation-1", authority: { session: "s" }, args: { id: "rss.1" } };
  const stanza = callStanza("web.agents.d", `alice@${silo}`, "1", call);
  expect(stanza.attrs.type).toBe("set");
  expect(readCall(arrived(stanza))).toEqual(call);
  expect(callStanza("w", "a", "1", { ...call, name: "subscriptions" }).attrs.type).toBe("get");
});

test("an answer that does not fit its call is malformed", () => {
  const stanza = parse(answerStanza(`alice@${silo}`, "web.agents.d", "1", { items: [] }).toString());
  expect(readAnswer("subscriptions", stanza)).toEqual({ items: [] });
  expect(() => readAnswer("profile", stanza)).toThrow(MalformedError);
});

test("a refusal arrives with its type, condition and sentence", () => {
  const error = new CallError("wait", "resource-constraint", "Too much; try again.");
  const read = readError(parse(refusalStanza(`alice@${silo}`, "web.agents.d", "1", error).toString()));
  expect(read).toMatchObject({
    type: "wait",
    condition: "resource-constraint",
    message: "Too much; try again.",
  });
});

test("reports arrive as they were sent, and no others do", () => {
  const refused = {
    kind: "delivery",
    user: "alice",
    notification: "n1",
    destination: "d1",
    attempt: 1,
    state: "refused",
    condition: "not-acceptable",
    mayRetry: false,
    at: 1,
  } as Report;
  const reports = { agentEpoch: 7, reports: [{ kind: "agentUp" as const }] };
  expect(readReports(arrived(reportsStanza("im.agents.d", silo, 3, "r1", reports)))).toEqual(reports);
  const deed = { name: "snooze" as const, forMs: 3_600_000 };
  const acted = { ...refused, state: "acted" as const, did: { id: "SM1", deed } } as Report;
  const both = { agentEpoch: 7, reports: [{ ...refused, text: "This number is a landline." }, acted] };
  expect(readReports(arrived(reportsStanza("sms.agents.d", silo, 3, "r2", both)))).toEqual(both);
  const wrong = reportsStanza("im.agents.d", silo, 3, "r1", { ...reports, agentEpoch: 0 });
  expect(() => readReports(arrived(wrong))).toThrow(MalformedError);
});

test("an item has one id wherever it is read, and another in another source", () => {
  expect(itemId("rss.1", "guid")).toMatch(/^[0-9a-f]{32}$/);
  expect(itemId("rss.1", "guid")).toBe(itemId("rss.1", "guid"));
  expect(itemId("rss.1", "guid")).not.toBe(itemId("rss.2", "guid"));
  expect(itemId("rss.1", "2")).not.toBe(itemId("rss.12", ""));
  expect(feedSource("https://e.org/")).toMatch(/^rss\.[0-9a-f]{32}$/);
});

test("text that XML forbids travels in JSON as an escape, so that nothing can stop a stream", () => {
  const url = "https://e.org/\u0000\u0007\u001f\ud800\ufffe\uffff";
  const events = [{ from: "rss.1", to: ["alice"], event: { type: "subscribed" as const, url } }];
  const stanza = frameStanza(silo, 42, { stream: 17, seq: 1, epoch: 3 }, JSON.stringify({ events }));
  expect(isSendable(stanza.toString())).toBe(true);
  expect(readFrame(arrived(stanza)).body.events[0]?.event).toEqual({ type: "subscribed", url });
});
