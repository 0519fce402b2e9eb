import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLedger } from "./open-ledger.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "agent-sms-"));
});
afterEach(() => rmSync(home, { recursive: true }));

test("the ledger is its owner's alone", () => {
  const ledger = openLedger(home);
  ledger.setStopped("+12025550100", true, 0);
  for (const file of readdirSync(join(home, "agents")))
    expect(statSync(join(home, "agents", file)).mode & 0o777).toBe(0o600);
  ledger.close();
});

test("a file that is no ledger is refused with its name and what to do", () => {
  openLedger(home).close();
  writeFileSync(
    join(home, "agents", "sms.sqlite"),
    "no database at all, but long enough to look like one".repeat(9),
  );
  expect(() => openLedger(home)).toThrow(/sms\.sqlite cannot be used .*move it away/);
});
