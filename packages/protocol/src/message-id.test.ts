import { expect, test } from "vitest";
import { messageId, notificationOfMessage } from "./message-id.ts";

const ID = "0123456789abcdef0123456789abcdef";

test("a message names its notification, whichever of its messages it is", () => {
  expect(messageId(ID)).toBe(ID);
  expect(messageId(ID, 3)).toBe(`${ID}.3`);
  expect([ID, `${ID}.3`, `${ID}.12`].map(notificationOfMessage)).toEqual([ID, ID, ID]);
});

test("what is no message of ours stays what it is", () => {
  for (const id of ["", "a.b", `${ID}.`, `${ID}.0`, `${ID}.1e9`]) expect(notificationOfMessage(id)).toBe(id);
});
