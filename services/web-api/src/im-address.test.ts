import { addressesOf } from "@tidings/protocol";
import { expect, test } from "vitest";
import { imAddress } from "./im-address.ts";

const addresses = addressesOf("tidings.test");

test.each([
  ["alice@example.org", "alice@example.org"],
  [" xmpp:Alice@Example.ORG. ", "alice@example.org"],
  ["juliet@bücher.example", "juliet@bücher.example"],
  ["juliet@xn--bcher-kva.example", "juliet@bücher.example"],
  ["bob@tidings.test", "bob@tidings.test"],
  ["user%gmail.example@gateway.example", "user%gmail.example@gateway.example"],
  ["bob@localhost", "bob@localhost"],
])("%s is taken as %s", (typed, address) => {
  expect(imAddress(typed, addresses)).toEqual({ address });
});

test.each([
  ["", /looks like/],
  ["alice", /looks like/],
  ["@example.org", /looks like/],
  ["alice@", /looks like/],
  ["alice@bob@example.org", /looks like/],
  ["al ice@example.org", /looks like/],
  ["al<ice@example.org", /looks like/],
  ["alice@exa mple.org", /looks like/],
  ["alice@-example.org", /looks like/],
  ["alice@example..org", /looks like/],
  ["al\u200bice@example.org", /looks like/],
  ["al\ud800ice@example.org", /looks like/],
  [`${"x".repeat(1_024)}@example.org`, /looks like/],
  ["alice@example.org/phone", /slash/],
  ["alice@im.agents.tidings.test", /belongs to Tidings/],
  ["alice@s1.avatars.tidings.test", /belongs to Tidings/],
  ["alice@AGENTS.tidings.test", /belongs to Tidings/],
])("%j is refused", (typed, sentence) => {
  expect(imAddress(typed, addresses)).toEqual({ problem: expect.stringMatching(sentence) });
});
