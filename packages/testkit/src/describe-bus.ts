/** What every bus must do, the real one and the one in memory. */
import { type Bus, BusStoppedError, IllegalTextError } from "@tidings/bus";
import { answerStanza, CallError, type Element, readCall, refusalStanza, xml } from "@tidings/protocol";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

export interface BusPair {
  readonly left: Bus;
  readonly right: Bus;
  /** Breaks the connection of `left`, which comes back by itself; resolves when it is broken. */
  interrupt(): Promise<void>;
  /** Ends what `makePair` started besides the two buses. */
  close(): Promise<void>;
}

/** Describes the bus `name`; each test gets two fresh, connected buses of different domains from `makePair`. */
export function describeBus(name: string, makePair: () => Promise<BusPair>): void {
  describe(name, () => {
    let pair: BusPair;
    let left: Bus;
    let right: Bus;
    beforeEach(async () => {
      pair = await makePair();
      ({ left, right } = pair);
    });
    afterEach(async () => {
      await Promise.all([left.stop(), right.stop()]);
      await pair.close();
    });
    const message = (text: string) =>
      xml("message", { from: `l@${left.address}`, to: `r@${right.address}` }, xml("body", {}, text));
    const ask = (to = `r@${right.address}`) =>
      xml("iq", { type: "get", from: `l@${left.address}`, to }, xml("q", { xmlns: "urn:q" }));

    test("a message arrives with every character as it was sent", async () => {
      const text = `<b>&amp; "quotes" 'and' ]]> é ü 漢字 👩‍🚀 ${"ß".repeat(100_000)}`;
      const heard = next(right);
      await left.send(message(text));
      expect((await heard).getChildText("body")).toBe(text);
    });

    test("messages arrive in the order in which they were sent", async () => {
      const heard = collect(right, 500);
      for (let i = 0; i < 500; i++) void left.send(message(String(i)));
      expect((await heard).map((stanza) => stanza.getChildText("body"))).toEqual(
        Array.from({ length: 500 }, (_, i) => String(i)),
      );
    });

    test("a request is answered with its result", async () => {
      answerAll(right, (iq) =>
        xml(
          "iq",
          { type: "result", from: iq.attrs.to, to: iq.attrs.from, id: iq.attrs.id },
          xml("a", { xmlns: "urn:q" }),
        ),
      );
      const result = await left.request(ask());
      expect(result.getChild("a", "urn:q")).toBeDefined();
    });

    test("a request that is refused rejects with the peer's own words", async () => {
      answerAll(right, (iq) =>
        refusalStanza(
          iq.attrs.to,
          iq.attrs.from,
          iq.attrs.id,
          new CallError("modify", "bad-request", "Say it otherwise."),
        ),
      );
      await expect(left.request(ask())).rejects.toMatchObject({
        type: "modify",
        condition: "bad-request",
        message: "Say it otherwise.",
      });
    });

    test("a request that nobody answers rejects with wait", async () => {
      await expect(left.request(ask(), 100)).rejects.toMatchObject({
        type: "wait",
        condition: "remote-server-timeout",
      });
    });

    test("an answer counts only from the address that was asked", async () => {
      answerAll(right, (iq) =>
        xml("iq", { type: "result", from: `mallory@${right.address}`, to: iq.attrs.from, id: iq.attrs.id }),
      );
      await expect(left.request(ask(), 200)).rejects.toMatchObject({ condition: "remote-server-timeout" });
    });

    test("text that XML forbids is refused, and what follows goes out", async () => {
      const heard = next(right);
      for (const forbidden of ["\u0000", "a\u001fb", "\ufffe", "\ud800"]) {
        await expect(left.send(message(forbidden))).rejects.toBeInstanceOf(IllegalTextError);
      }
      await expect(
        left.request(xml("iq", { type: "get", to: `\u0001@${right.address}` })),
      ).rejects.toBeInstanceOf(IllegalTextError);
      await left.send(message("fine"));
      expect((await heard).getChildText("body")).toBe("fine");
    });

    test("a call answered with wait is made again with the same operation id", async () => {
      const ops: unknown[] = [];
      answerAll(right, (iq) => {
        ops.push(readCall(iq.getChildElements()[0] as Element).op);
        const { from, to, id } = iq.attrs;
        if (ops.length === 1)
          return refusalStanza(to, from, id, new CallError("wait", "resource-constraint", "Not now."));
        return answerStanza(to, from, id, {});
      });
      const result = left.call({
        from: left.address,
        to: `alice@${right.address}`,
        name: "unsubscribe",
        args: { id: "x" },
        authority: null,
      });
      expect(await result).toEqual({});
      expect(ops).toHaveLength(2);
      expect(ops[0]).toBe(ops[1]);
    });

    test("a call refused for good is not made again", async () => {
      let calls = 0;
      answerAll(right, (iq) => {
        calls += 1;
        return refusalStanza(
          iq.attrs.to,
          iq.attrs.from,
          iq.attrs.id,
          new CallError("auth", "forbidden", "No."),
        );
      });
      const call = left.call({
        from: left.address,
        to: `alice@${right.address}`,
        name: "profile",
        args: {},
        authority: null,
      });
      await expect(call).rejects.toMatchObject({ type: "auth", condition: "forbidden" });
      expect(calls).toBe(1);
    });

    test("a call gives up at its deadline", async () => {
      answerAll(right, (iq) =>
        refusalStanza(
          iq.attrs.to,
          iq.attrs.from,
          iq.attrs.id,
          new CallError("wait", "resource-constraint", "Not now."),
        ),
      );
      const call = left.call({
        from: left.address,
        to: `a@${right.address}`,
        name: "profile",
        args: {},
        authority: null,
        timeoutMs: 300,
      });
      await expect(call).rejects.toMatchObject({ type: "wait" });
    });

    test("what is sent while the connection is down arrives when it is back", async () => {
      const offline = new Promise<void>((resolve) => left.onOffline(resolve));
      const online = new Promise<void>((resolve) => left.onOnline(resolve));
      await pair.interrupt();
      await offline;
      expect(left.isOnline).toBe(false);
      const heard = next(right);
      await left.send(message("back again"));
      await online;
      expect((await heard).getChildText("body")).toBe("back again");
    });

    test("after stop nothing is sent, and stopping twice is fine", async () => {
      await left.stop();
      await left.stop();
      await expect(left.send(message("late"))).rejects.toBeInstanceOf(BusStoppedError);
      await expect(left.request(ask())).rejects.toBeInstanceOf(BusStoppedError);
      expect(left.isOnline).toBe(false);
    });

    test("stop refuses who still waits for an answer", async () => {
      const heard = next(right);
      const refused = expect(left.request(ask())).rejects.toBeInstanceOf(BusStoppedError);
      await heard;
      await left.stop();
      await refused;
    });
  });
}

function next(bus: Bus): Promise<Element> {
  return collect(bus, 1).then(([first]) => first as Element);
}

function collect(bus: Bus, count: number): Promise<Element[]> {
  const heard: Element[] = [];
  return new Promise((resolve) => {
    bus.onStanza((stanza) => {
      if (heard.push(stanza) === count) resolve(heard);
    });
  });
}

function answerAll(bus: Bus, answer: (iq: Element) => Element): void {
  bus.onStanza((stanza) => {
    if (stanza.name === "iq") void bus.send(answer(stanza));
  });
}
