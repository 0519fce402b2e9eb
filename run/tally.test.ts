import { expect, test } from "vitest";
import { sum, sumLine, tallyOfCheck, tallyOfVitest, type VitestReport } from "./tally.ts";

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((one) => ({ status: one })),
});

function report(counts: Partial<VitestReport>): VitestReport {
  return {
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    testResults: [],
    ...counts,
  };
}

test("the last line adds up checks and tests", () => {
  const tests = tallyOfVitest(report({ numPassedTests: 7, numPendingTests: 1, numTodoTests: 1 }), 0);
  expect(sumLine(sum([tallyOfCheck(0), tallyOfCheck(2), tests]))).toBe("8 passed, 1 failed, 2 skipped");
});

test("a test file that could not be loaded is a failure", () => {
  const testResults = [file("failed"), file("passed", "passed")];
  expect(tallyOfVitest(report({ numPassedTests: 1, testResults }), 1)).toEqual({
    passed: 1,
    failed: 1,
    skipped: 0,
  });
});

test("a failed test is counted once, not again for its file", () => {
  const testResults = [file("failed", "failed", "passed")];
  expect(tallyOfVitest(report({ numPassedTests: 1, numFailedTests: 1, testResults }), 1)).toMatchObject({
    failed: 1,
  });
});

test("a run without a report, without tests, or with a bad end is a failure", () => {
  expect(tallyOfVitest(null, 0).failed).toBe(1);
  expect(tallyOfVitest(report({}), 0).failed).toBe(1);
  expect(tallyOfVitest(report({ numPassedTests: 3 }), 1).failed).toBe(1);
});
