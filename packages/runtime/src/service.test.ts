import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";

const SERVICE = JSON.stringify(join(import.meta.dirname, "service.ts"));

test("a service whose parent died while it was loading does not wait for servers that died as well", async () => {
  const loading = `
    await (await import("node:events")).once(process, "disconnect");
    const { runService } = await import(${SERVICE});
    await runService("late", () => new Promise(() => setInterval(() => {}, 1_000)));`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", loading], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const exited = once(child, "exit");
  child.disconnect();
  expect(await exited).toEqual([0, null]);
});

test("a service that nobody reads the log of any more ends all the same", async () => {
  const serving = `
    const { runService } = await import(${SERVICE});
    await runService("unread", async ({ log, onStop }) => {
      onStop(() => log.info("closing"));
    });`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", serving], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { ...process.env, TIDINGS_LOG_LEVEL: "info" },
  });
  const exited = once(child, "exit");
  await once(child, "message");
  child.stdout?.destroy();
  child.disconnect();
  const tooLong = setTimeout(() => child.kill("SIGKILL"), 4_000);
  expect(await exited).toEqual([0, null]);
  clearTimeout(tooLong);
});
