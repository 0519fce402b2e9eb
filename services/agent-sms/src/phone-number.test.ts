import { expect, test } from "vitest";
import { isCountry, readNumber } from "./phone-number.ts";

const ALLOWED = new Set(["US", "GB", "FR"]);

test("a mobile number of an allowed country is taken", () => {
  expect(readNumber("+447400123456", ALLOWED)).toEqual({ number: "+447400123456", prefix: "+44740012" });
  expect(readNumber("+12025550100", ALLOWED)).toEqual({ number: "+12025550100", prefix: "+1202555" });
});

test("without a list of countries nothing is sent, and the reason says what to set", () => {
  expect(readNumber("+12025550100", new Set())).toEqual({
    condition: "not-allowed",
    mayRetry: false,
    text: "This installation sends no messages to US (none is allowed yet); its operator can change TIDINGS_SMS_COUNTRIES.",
  });
});

test.each([
  ["+4915112345678", "not-allowed", /to DE \(allowed are US, GB, FR\)/],
  ["+14165550100", "not-allowed", /to CA /],
  ["+881612345678", "not-allowed", /numbers of no country/],
  ["+33899123456", "not-acceptable", /premium-rate/],
  ["+19005550100", "not-acceptable", /premium-rate/],
  ["+33820123456", "not-acceptable", /shared-cost/],
  ["+18005550100", "not-acceptable", /toll-free/],
  ["+447012345678", "not-acceptable", /personal number/],
  ["+442071838750", "not-acceptable", /landline/],
  ["12025550100", "jid-malformed", /in full/],
  ["+1 202 555 0100", "jid-malformed", /in full/],
  ["+12025550100;ext=5", "jid-malformed", /in full/],
  ["+15550100", "jid-malformed", /in full/],
  ["tel:+12025550100", "jid-malformed", /in full/],
  ["", "jid-malformed", /in full/],
])("%s is refused: %s", (address, condition, text) => {
  expect(readNumber(address, ALLOWED)).toMatchObject({
    condition,
    mayRetry: false,
    text: expect.stringMatching(text),
  });
});

test("a long list of countries is not recited", () => {
  const many = new Set(Array.from({ length: 200 }, (_, at) => `X${at}`));
  const refusal = readNumber("+12025550100", many);
  expect("text" in refusal && refusal.text).toMatch(/X19 and more\); its operator can change/);
});

test("countries are known by their ISO codes", () => {
  expect(["GB", "US", "UK", "gb", "XX", ""].map(isCountry)).toEqual([true, true, false, false, false, false]);
});
