import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskError } from "@tidings/store";
import { expect, test } from "vitest";
import { probeDisk } from "./disk-probe.ts";

test("a folder that takes a file is left as it was, and one that does not is named with the way out", () => {
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  probeDisk(folder);
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
  expect(() => probeDisk(folder)).toThrow(DiskError);
  expect(() => probeDisk(folder)).toThrow(`${folder} takes no file`);
});
