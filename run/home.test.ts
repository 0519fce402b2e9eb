import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HOME_VERSION, HomeTooNew, openHome } from "./home.ts";
import { HomeInUse, lockHome } from "./lock.ts";
import { secretIn } from "./secrets.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "home-"));
});
afterEach(() => rmSync(home, { recursive: true }));

test("a state folder is for its owner alone and bears the version of its layout", () => {
  const made = join(home, "new");
  openHome(made);
  expect(statSync(made).mode & 0o777).toBe(0o700);
  expect(readFileSync(join(made, "version"), "utf8")).toBe(`${HOME_VERSION}\n`);
});

test("a state folder of a later version is refused untouched", () => {
  writeFileSync(join(home, "version"), `${HOME_VERSION + 1}\n`);
  expect(() => openHome(home)).toThrow(HomeTooNew);
  expect(readFileSync(join(home, "version"), "utf8")).toBe(`${HOME_VERSION + 1}\n`);
});

test("a state folder can be taken once, and again when it was given free", () => {
  const lock = lockHome(home);
  expect(() => lockHome(home)).toThrow(HomeInUse);
  lock.release();
  lock.release();
  lockHome(home).release();
});

test("the lock of a killed process is free at once", async () => {
  const script = `import(${JSON.stringify(new URL("lock.ts", import.meta.url).href)}).then(({ lockHome }) => {
    globalThis.lock = lockHome(${JSON.stringify(home)});
    console.log("locked");
    setInterval(() => {}, 1000);
  })`;
  const other = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(other.stdout, "data");
  expect(() => lockHome(home)).toThrow(HomeInUse);
  other.kill("SIGKILL");
  await once(other, "exit");
  lockHome(home).release();
});

test("a secret is made once and readable for its owner alone", () => {
  const path = join(home, "deep", "password");
  const secret = secretIn(path);
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(secretIn(path)).toBe(secret);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
