import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { OWNER_MARK, processesOf } from "./leftovers.ts";
import { type LogFile, openLogFile } from "./log-file.ts";
import { type ProcessSpec, StartFailed, Supervised } from "./supervised.ts";

const SAY_READY = 'process.send("ready");';
const STAY = "setInterval(() => {}, 1000);";

let folder: string;
let log: LogFile;
let heard: string[];
let running: Supervised[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "supervised-"));
  log = openLogFile(join(folder, "log"), 100_000);
  heard = [];
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map((one) => one.stop(2_000)));
  log.close();
  expect(processesOf(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

function supervised(script: string, changes: Partial<ProcessSpec> = {}): Supervised {
  const spec: ProcessSpec = {
    name: "juliet",
    command: process.execPath,
    args: ["-e", script],
    env: { ...process.env, [OWNER_MARK]: folder },
    ipc: true,
    ready: (child) => child.saidReady,
    readyWithinMs: 10_000,
    ...changes,
  };
  const one = new Supervised(spec, log, (line) => heard.push(line));
  running.push(one);
  return one;
}

test("a process is running when it has said that it is ready, and its words are in the log", async () => {
  const juliet = supervised(`console.log("good night");${SAY_READY}${STAY}`);
  await juliet.start();
  expect(juliet.state).toBe("running");
  await vi.waitFor(() => expect(readFileSync(log.path, "utf8")).toContain("good night"));
});

test("a process that dies is started again, and one line tells of each", async () => {
  const juliet = supervised(SAY_READY + STAY);
  await juliet.start();
  const first = juliet.pid;
  juliet.kill("SIGKILL");
  await vi.waitFor(() => expect(juliet.state).not.toBe("running"));
  await juliet.whenRunning();
  expect(juliet.pid).not.toBe(first);
  expect(juliet.restarts).toBe(1);
  await vi.waitFor(() => expect(heard).toHaveLength(2));
  expect(heard[0]).toMatch(/^juliet died \(SIGKILL\)/);
  expect(heard[1]).toBe("juliet is back");
});

test("settings of a start hold while it is started again, and not for the next start", async () => {
  const juliet = supervised(`console.log(process.env.MOOD);${SAY_READY}${STAY}`, {
    env: { ...process.env, [OWNER_MARK]: folder, MOOD: "calm" },
  });
  await juliet.start({ MOOD: "merry" });
  juliet.kill("SIGKILL");
  await vi.waitFor(() => expect(heard).toContain("juliet is back"));
  await juliet.stop(2_000);
  await juliet.start();
  await vi.waitFor(() => expect(readFileSync(log.path, "utf8")).toMatch(/merry.*merry.*calm/s));
});

test("a process that ends before it is ready fails the start, and the log is named", async () => {
  const juliet = supervised("process.exit(3)");
  const error = await juliet.start().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartFailed);
  expect((error as Error).message).toContain(log.path);
  expect(juliet.state).toBe("idle");
});

test("a process that is never ready fails the start and is ended", async () => {
  const juliet = supervised(STAY, { readyWithinMs: 100 });
  await expect(juliet.start()).rejects.toThrow(/not ready within 0.1 s/);
  expect(juliet.pid).toBeNull();
});

test("a program that does not exist fails the start", async () => {
  await expect(supervised("", { command: "/nowhere/juliet", ipc: true }).start()).rejects.toThrow(
    /cannot be started/,
  );
});

test("a stopped process is not started again", async () => {
  const juliet = supervised(SAY_READY + STAY);
  await juliet.start();
  await juliet.stop(2_000);
  expect(juliet.state).toBe("idle");
  expect(juliet.pid).toBeNull();
  expect(heard).toEqual([]);
});

test("a process that ignores SIGTERM is killed with everything that it started", async () => {
  const child = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STAY)}], { stdio: "ignore" });`;
  const juliet = supervised(`process.on("SIGTERM", () => {});${child}${SAY_READY}${STAY}`);
  await juliet.start();
  expect(processesOf(folder)).toHaveLength(2);
  await juliet.stop(100);
  await vi.waitFor(() => expect(processesOf(folder)).toEqual([]));
});

test("stopping while the back-off runs ends the waiting", async () => {
  const juliet = supervised(SAY_READY + STAY);
  await juliet.start();
  juliet.kill("SIGKILL");
  await vi.waitFor(() => expect(juliet.state).toBe("waiting"), { interval: 5 });
  await juliet.stop(2_000);
  expect(juliet.state).toBe("idle");
  expect(juliet.restarts).toBe(0);
});

test("stopping while the process starts leaves none behind", async () => {
  const juliet = supervised(STAY);
  const starting = juliet.start().catch((reason: unknown) => reason);
  await juliet.stop(2_000);
  expect(await starting).toBeInstanceOf(Error);
  expect(juliet.pid).toBeNull();
});
