import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

test("npm starts us in the place of its shell, which would keep a SIGTERM for itself", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  for (const name of ["start", "test", "bench"]) expect(scripts[name]).toMatch(/^exec node /);
});

test("who is left alone by a parent that was killed hears of it", async () => {
  const orphan = `
    const { onOrphaned } = await import(${JSON.stringify(join(ROOT, "run/prepare/orphaned.mjs"))});
    onOrphaned(() => { console.log("orphaned"); process.exit(); }, { npm_lifecycle_event: "start" });
    setTimeout(() => {}, 20_000);
    console.log("watching");`;
  const parent = spawn(
    process.execPath,
    [
      "--input-type=module",
      "--eval",
      `const { spawn } = await import("node:child_process");
       spawn(process.execPath, ["--input-type=module", "--eval", ${JSON.stringify(orphan)}], { stdio: ["ignore", 1, 2] });`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let heard = "";
  parent.stdout.setEncoding("utf8").on("data", (text) => {
    heard += text;
    if (heard === "watching\n") parent.kill("SIGKILL");
  });
  await once(parent.stdout, "end");
  expect(heard).toBe("watching\norphaned\n");
});
