import { expect, test } from "vitest";
import { recipientOf } from "./recipient.ts";

const LOCAL = "abcdefghij234567klmn";
const at = (address: string) => recipientOf(address, "in.d.test");

test("inboxes, addresses for answers and the postmaster are here", () => {
  expect(at(`${LOCAL.toUpperCase()}@IN.d.test`)).toEqual({ kind: "inbox", local: LOCAL });
  expect(at("reply+1-1-0123456789abcdef0123@in.d.test")).toEqual({
    kind: "answer",
    address: "reply+1-1-0123456789abcdef0123@in.d.test",
  });
  expect(at("Postmaster@in.d.test")).toEqual({ kind: "postmaster" });
});

test.each([
  `${LOCAL}@elsewhere.test`,
  `${LOCAL}@in.d.test.elsewhere.test`,
  `${LOCAL}%elsewhere.test@in.d.test`,
  `@elsewhere.test:${LOCAL}@in.d.test`,
  `"${LOCAL}"@in.d.test`,
  `${LOCAL}x@in.d.test`,
  "alice@in.d.test",
  "bounce+@in.d.test",
  "",
  "@",
])("%j is not here, and nothing is relayed (S22)", (address) => {
  expect(at(address)).toBeNull();
});
