import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLogFile } from "./log-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a log that would grow past its bound becomes the older one, and the oldest is dropped", () => {
  const log = openLogFile(join(folder, "x.log"), 10);
  for (const line of ["first 6\n", "second\n", "third 6\n"]) log.write(line);
  log.close();
  expect(readFileSync(log.path, "utf8")).toBe("third 6\n");
  expect(readFileSync(`${log.path}.1`, "utf8")).toBe("second\n");
});

test("an existing log is continued, and its size counts", () => {
  const path = join(folder, "x.log");
  const write = (text: string) => {
    const log = openLogFile(path, 10);
    log.write(text);
    log.close();
  };
  write("one\n");
  write("two\n");
  expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  expect(existsSync(`${path}.1`)).toBe(false);
  write("three\n");
  expect(readFileSync(path, "utf8")).toBe("three\n");
});

test("what a process says after its log was closed is dropped", () => {
  const log = openLogFile(join(folder, "x.log"), 10);
  log.close();
  log.write("late");
  expect(readFileSync(log.path, "utf8")).toBe("");
});
