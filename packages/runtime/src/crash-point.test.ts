import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { CRASH_HITS, crashPoint } from "./crash-point.ts";

const MODULE = join(import.meta.dirname, "crash-point.ts");

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function ordersFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "tidings-points-"));
  folders.push(folder);
  return folder;
}

/** A process that passes `fence.after` five times and `claim.after` once between, and says so each time. */
function passing(env: NodeJS.ProcessEnv): Promise<{ said: string; signal: NodeJS.Signals | null }> {
  const script = `import { crashPoint } from ${JSON.stringify(MODULE)};
    import { writeSync } from "node:fs";
    for (let pass = 1; pass <= 5; pass++) {
      crashPoint("fence.after");
      writeSync(1, pass + " ");
      if (pass === 1) crashPoint("claim.after");
    }`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", script], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  return new Promise((resolve) => child.once("close", (_, signal) => resolve({ said, signal })));
}

test("a process dies at the ordered pass of the ordered point, at once, and once", async () => {
  const folder = ordersFolder();
  writeFileSync(join(folder, "fence.after"), "2");

  expect(await passing({ TIDINGS_CRASH_POINTS: folder })).toEqual({ said: "1 2 ", signal: "SIGKILL" });
  expect(existsSync(join(folder, "fence.after"))).toBe(false);
  expect(readFileSync(join(folder, CRASH_HITS), "utf8")).toBe("fence.after\n");

  expect(await passing({ TIDINGS_CRASH_POINTS: folder })).toEqual({ said: "1 2 3 4 5 ", signal: null });
  expect(readFileSync(join(folder, CRASH_HITS), "utf8")).toBe("fence.after\n");
});

test("without the variable a point is an empty function", async () => {
  expect(String(crashPoint).replaceAll(/\s/g, "")).toBe("()=>{}");
  expect(await passing({ TIDINGS_CRASH_POINTS: "" })).toEqual({ said: "1 2 3 4 5 ", signal: null });
});
