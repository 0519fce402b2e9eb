import {
  addressesOf,
  busChild,
  type Element,
  handOverStanza,
  hostAddress,
  readError,
} from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { expect, test, vi } from "vitest";
import { eventually } from "../../../../packages/testkit/src/eventually.ts";
import { answerHandOver } from "./hand-over-call.ts";
import { HandOverError } from "./ownership.ts";

const addresses = addressesOf("d");
const host = hostAddress("d", "h1");

function asked(from: string, handOver: (shard: number, to: string) => Promise<void>) {
  const sent: Element[] = [];
  const stanza = handOverStanza(from, host, 17, "h2");
  stanza.attrs.id = "1";
  const bus = { send: async (answer: Element) => void sent.push(answer) };
  const isTaken = answerHandOver(stanza, { bus, addresses, log: silentLog(), handOver });
  return { isTaken, sent };
}

test("web-api asks for a hand-over, and is answered when the shard is free", async () => {
  const handOver = vi.fn(async () => {});
  const { isTaken, sent } = asked(addresses.web, handOver);
  expect(isTaken).toBe(true);
  expect(handOver).toHaveBeenCalledWith(17, "h2");
  await eventually(() =>
    expect(sent[0]?.attrs).toMatchObject({ type: "result", to: addresses.web, id: "1" }),
  );
});

test("a hand-over that cannot be is refused with the reason", async () => {
  const { sent } = asked(addresses.monitor, async () => {
    throw new HandOverError("h1 does not serve shard 17");
  });
  await eventually(() => expect(sent).toHaveLength(1));
  expect(readError(sent[0] as Element)).toMatchObject({
    type: "cancel",
    message: "h1 does not serve shard 17",
  });
});

test("an agent, or a stranger, moves no shard", () => {
  for (const from of [addresses.im, "h2.hosts.avatars.d", "alice@d"]) {
    const handOver = vi.fn(async () => {});
    expect(asked(from, handOver).isTaken).toBe(false);
    expect(handOver).not.toHaveBeenCalled();
  }
  expect(busChild(handOverStanza(addresses.web, host, 17, "h2"))?.attrs).toMatchObject({ shard: "17" });
});
