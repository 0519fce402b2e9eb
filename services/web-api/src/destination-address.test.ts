import { addressesOf } from "@tidings/protocol";
import { expect, test } from "vitest";
import { destinationAddress } from "./destination-address.ts";

const addresses = addressesOf("tidings.test");

test.each([
  ["+49 30 123456", "+4930123456"],
  ["tel:+1-555-010-0199", "+15550100199"],
  ["0049 (30) 12 34 56", "+4930123456"],
  ["+44 20\u20137946.0958", "+442079460958"],
])("the number %s is kept as %s", (typed, address) => {
  expect(destinationAddress("sms", typed, addresses)).toEqual({ address });
});

test.each(["", "030 123456", "+49", "+0301234567", "+49 30 CALL ME", "+1234567890123456", "+4930123456;1"])(
  "%j is no number",
  (typed) => {
    expect(destinationAddress("sms", typed, addresses)).toMatchObject({ problem: /country/ });
  },
);

test.each([
  [" alice@Example.ORG ", "alice@example.org"],
  ["mailto:Alice.B+news@example.org", "Alice.B+news@example.org"],
  ["alice@bücher.example", "alice@xn--bcher-kva.example"],
])("the mail address %s is kept as %s", (typed, address) => {
  expect(destinationAddress("email", typed, addresses)).toEqual({ address });
});

test.each([
  "alice",
  "@example.org",
  "alice@localhost",
  "alice@exa mple.org",
  "a..b@example.org",
  "alice@example.org\r\nBcc: mallory@example.org",
  "alice@example.org,mallory@example.org",
  '"alice bob"@example.org',
  "alice@[127.0.0.1]",
  `${"a".repeat(65)}@example.org`,
  `alice@${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.${"d".repeat(60)}.example`,
])("%j is no mail address", (typed) => {
  expect(destinationAddress("email", typed, addresses)).toMatchObject({ problem: /name@example/ });
});

test("an IM address is read as one", () => {
  expect(destinationAddress("im", "Alice@Example.ORG", addresses)).toEqual({ address: "alice@example.org" });
});

test("a webhook is a web address, without a password", () => {
  const typed = " https://Example.org/hook?key=1#top ";
  expect(destinationAddress("webhook", typed, addresses)).toEqual({
    address: "https://example.org/hook?key=1",
  });
  for (const wrong of [
    "example.org/hook",
    "ftp://example.org",
    "https://a:b@example.org",
    `https://e.org/${"x".repeat(2_000)}`,
  ])
    expect(destinationAddress("webhook", wrong, addresses)).toMatchObject({ problem: /example\.org\/hook/ });
});
