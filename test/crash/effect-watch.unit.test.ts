import { dispatchesStanza, frameStanza } from "@tidings/protocol";
import { expect, test } from "vitest";
import { EffectWatch } from "./effect-watch.ts";
import { noEffectOfTheDeposed } from "./invariants.ts";

const SILO = "s1.avatars.test";

/** As ejabberd passes it on. */
function frame(epoch: number, seq = 1, to = 42): Buffer {
  const sent = frameStanza(SILO, to, { stream: 17, seq, epoch }, '{"events":[]}').toString();
  return Buffer.from(sent.replaceAll('"', "'"));
}

test("what a deposed owner says behind its successor is a violation, between the same two and on the same connection only", () => {
  const watch = new EffectWatch();
  watch.sees("h1", 0, frame(3));
  watch.sees("h1", 0, frame(4, 2));
  watch.sees("h1", 1, frame(3));
  watch.sees("h1", 0, frame(3, 1, 43));
  watch.sees("h2", 0, frame(3));
  expect(noEffectOfTheDeposed(watch.effects)).toEqual([]);
  watch.sees("h1", 0, frame(3, 3));
  expect(noEffectOfTheDeposed(watch.effects)).toMatchObject([{ invariant: "I5" }]);
});

test("dispatches count too, and a stanza may come in pieces of any size", () => {
  const watch = new EffectWatch();
  const said = dispatchesStanza({ siloDomain: SILO, shard: 17, epoch: 5 }, "im.agents.test", []).toString();
  const bytes = Buffer.from(said + frame(6).toString());
  for (const byte of bytes) watch.sees("agent-xmpp", 0, Buffer.from([byte]));
  expect(watch.effects.map(({ shard, epoch, what }) => [shard, epoch, what])).toEqual([
    [17, 5, "dispatches"],
    [17, 6, "frame"],
  ]);
  expect(watch.count).toBe(2);
});
