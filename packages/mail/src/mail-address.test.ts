import { expect, test } from "vitest";
import { mailAddress } from "./mail-address.ts";

test.each([
  ["alice@example.org", "alice@example.org"],
  ["alice+tag@localhost", "alice+tag@localhost"],
  ["alice@bücher.example", "alice@xn--bcher-kva.example"],
])("%s is a mailbox", (address, ascii) => {
  expect(mailAddress(address)).toBe(ascii);
});

test.each([
  "alice",
  "@example.org",
  "alice@",
  "alice@example.org, bob@example.org",
  "alice@example.org>\r\nRCPT TO:<bob@example.org",
  "alice@example.org\nBcc: bob@example.org",
  "<alice@example.org>",
  '"a b"@example.org',
  "a..b@example.org",
  "alice@-example.org",
  "alice@[127.0.0.1]",
  `${"a".repeat(65)}@example.org`,
])("%j is none", (address) => {
  expect(mailAddress(address)).toBeNull();
});
