import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const TIDINGS = join(import.meta.dirname, "..", "bin", "tidings");
let home = "";

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "tidings-cli-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function tidings(...args: readonly string[]) {
  const env = { ...process.env, TIDINGS_HOME: home };
  const { status, stderr } = spawnSync(TIDINGS, args, { env, encoding: "utf8" });
  return { status, stderr };
}

test("without a command, and without a folder, it says how it is used", () => {
  expect(tidings()).toMatchObject({ status: 2, stderr: expect.stringContaining("tidings backup <folder>") });
  expect(tidings("restore")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("usage: tidings restore <folder> [--json]\n"),
  });
}, 20_000);

test("a state folder of a later version, and a folder that is none, are refused with a sentence", () => {
  writeFileSync(join(home, "version"), "99\n");
  expect(tidings("backup", join(home, "copy"))).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/belongs to a later version of Tidings/),
  });
  rmSync(join(home, "version"));
  expect(tidings("backup", join(home, "copy"))).toMatchObject({
    status: 1,
    stderr: `${home} is no state folder of Tidings; set TIDINGS_HOME to the one to copy\n`,
  });
}, 20_000);
