import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { secret } from "./secrets.ts";

test("a secret is made once, is its owner's alone, and differs from every other", async () => {
  const home = await mkdtemp(join(tmpdir(), "tidings-secrets-"));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  const folder = join(home, "secrets");
  const first = await secret(folder, "a");
  expect(await secret(folder, "a")).toBe(first);
  expect(await secret(folder, "b")).not.toBe(first);
  expect(first).toMatch(/^[\w-]{43}$/);
  expect((await stat(join(folder, "a"))).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});
