/** The supervisor as the monitor's driver: real processes, started and stopped over its port. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@tidings/testkit";
import { expect, test } from "vitest";
import { Crew } from "../run/crew.ts";
import { type HostControl, serveHostControl } from "../run/host-control.ts";
import type { ProcessSpec } from "../run/supervised.ts";
import { describeDriver } from "../services/monitor/src/describe-driver.ts";
import { ProcessDriver } from "../services/monitor/src/process-driver.ts";

const TOKEN = "a token of this installation";

/** A process that says that it is ready, and takes a moment to end. */
function hostOf(name: string): ProcessSpec {
  const script =
    "process.on('SIGTERM', () => setTimeout(process.exit, 200)); setInterval(() => 0, 1e6); process.send('ready')";
  return {
    name: `avatar-host-${name}`,
    command: process.execPath,
    args: ["-e", script],
    env: { PATH: process.env.PATH },
    ipc: true,
    ready: (child) => child.saidReady,
    readyWithinMs: 20_000,
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

interface Opened {
  readonly url: string;
  readonly crew: Crew;
  readonly control: HostControl;
  readonly close: () => Promise<void>;
}

async function open(): Promise<Opened> {
  const home = await mkdtemp(join(tmpdir(), "tidings-driver-"));
  await mkdir(join(home, "logs"));
  const crew = new Crew(home, () => undefined);
  const port = await freePort();
  const control = await serveHostControl({
    port,
    token: TOKEN,
    members: () => crew.membersOf("avatar-host-"),
    start: (host) => crew.start("hosts", hostOf(host)),
    forget: (name) => crew.forget(name),
    tell: () => undefined,
  });
  const close = async () => {
    await control.stop();
    await crew.stop();
    await rm(home, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, crew, control, close };
}

describeDriver("the supervisor's processes", async () => {
  const { url, close } = await open();
  const driver = new ProcessDriver(url, TOKEN);
  const settle = () =>
    eventually(async () => {
      const moving = (await driver.list()).filter(({ state }) => state !== "running");
      expect(moving).toEqual([]);
    });
  return { driver, settle, close };
});

test("without the token, or under another name than a host's, nothing is started", async () => {
  const { url, close } = await open();
  try {
    await expect(new ProcessDriver(url, "a guess").start("h1")).rejects.toThrow("only the monitor");
    const driver = new ProcessDriver(url, TOKEN);
    for (const name of ["h0", "h17", "web-api", "../h1"])
      await expect(driver.start(name)).rejects.toThrow("h1 to h16");
    expect(await driver.list()).toEqual([]);
  } finally {
    await close();
  }
});

test("when the supervisor is gone the driver says so", async () => {
  const { url, close } = await open();
  await close();
  await expect(new ProcessDriver(url, TOKEN).list()).rejects.toThrow("does not answer");
});
