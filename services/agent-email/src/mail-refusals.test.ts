import { expect, test } from "vitest";
import { isOurFault, refusalFor, statusIn } from "./mail-refusals.ts";

test.each([
  ["5.1.1", 550, "item-not-found", false],
  ["5.1.2", 550, "remote-server-not-found", false],
  ["5.2.1", 550, "recipient-unavailable", false],
  ["5.2.2", 552, "resource-constraint", false],
  ["4.2.2", 452, "resource-constraint", true],
  ["5.3.4", 552, "not-acceptable", false],
  ["5.7.1", 550, "policy-violation", false],
  ["5.7.8", 535, "not-authorized", false],
  ["4.4.7", null, "remote-server-not-found", true],
  [null, 550, "item-not-found", false],
  [null, 451, "undefined-condition", true],
  ["5.0.0", 554, "undefined-condition", false],
  [null, null, "undefined-condition", false],
])("status %s with reply %s is %s", (status, replyCode, condition, mayRetry) => {
  const refusal = refusalFor(status, replyCode);
  expect(refusal).toMatchObject({ condition, mayRetry, text: expect.stringMatching(/\.$/) });
  expect(isOurFault(refusal)).toBe(condition === "not-authorized");
});

test.each([
  ["5.1.1 no such user", "5.1.1"],
  [" 4.2.2", "4.2.2"],
  ["5.1.1x", null],
  ["no such user 5.1.1", null],
  ["9.1.1", null],
])("in %j the status is %s", (text, status) => {
  expect(statusIn(text)).toBe(status);
});
