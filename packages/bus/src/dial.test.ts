import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { dial, type Entity } from "./dial.ts";

/** As the library gives up on what it waited for. */
class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** An entity of the library whose stream opens as the test says. */
function stage() {
  const socket = new Socket();
  onTestFinished(() => void socket.destroy());
  const opened = Promise.withResolvers<void>();
  const entity = Object.assign(new EventEmitter(), {
    timeout: 0,
    jid: "web.d",
    socket,
    parser: null,
    connect: async () => undefined,
    open: () => opened.promise,
  }) as unknown as Entity;
  const ends: Error[] = [];
  const events = {
    onStanza: () => undefined,
    onInput: () => undefined,
    onEnd: (cause: Error) => ends.push(cause),
  };
  return { entity, ends, opened, dialling: dial(entity, "xmpp://127.0.0.1", "web.d", events) };
}

test("a link that is online stays, when the library missed that its stream was opened and gives up on it", async () => {
  const { entity, ends, opened, dialling } = stage();
  entity.emit("online");
  const link = await dialling.linked;
  opened.reject(new TimeoutError());
  entity.emit("error", new TimeoutError());
  await new Promise((resolve) => setImmediate(resolve));
  expect(ends).toEqual([]);
  link.destroy(new Error("enough"));
  expect(ends).toHaveLength(1);
});

test("one that is not yet ends with it, and one that is with an error of its socket", async () => {
  const early = stage();
  early.opened.reject(new TimeoutError());
  await expect(early.dialling.linked).rejects.toBeInstanceOf(TimeoutError);

  const late = stage();
  late.entity.emit("online");
  await late.dialling.linked;
  late.entity.emit("error", new Error("reset"));
  expect(late.ends).toMatchObject([{ message: "reset" }]);
});
