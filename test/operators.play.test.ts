/** What operators do by `bin/tidings`, against the installation as it runs. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { eventually } from "@tidings/testkit";
import { afterEach, expect, inject, onTestFinished, test } from "vitest";
import { Rest, wellDone } from "./theatre/rest.ts";
import { openTheatre, uniqueName } from "./theatre/theatre.ts";

const MAIN = join(import.meta.dirname, "..", "cli", "main.ts");
const PATIENCE = { withinMs: 20_000 };

const theatre = openTheatre();
afterEach(() => theatre.clears());

function begun(...args: string[]): ChildProcessByStdio<null, Readable, Readable> {
  // Its ports and its domain stand in the state folder.
  const env = { ...process.env, TIDINGS_HOME: inject("home") };
  return spawn(process.execPath, [MAIN, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

async function tidings(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const child = begun(...args);
  const exit = once(child, "exit");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await exit)[0], out, err };
}

/** What the command prints with --json. */
async function said(...args: string[]) {
  const { code, out, err } = await tidings(...args, "--json");
  expect(err).toBe("");
  expect(code).toBe(0);
  return JSON.parse(out);
}

/** The lines of `tidings tail` as they come, until the test is over. */
function tailed(...args: string[]): Readonly<Record<string, unknown>>[] {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const child = begun("tail", ...args, "--json");
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  onTestFinished(async () => {
    child.kill("SIGTERM");
    expect((await once(child, "exit"))[0]).toBe(0);
  });
  return lines;
}

test("the doctor finds nothing, and where somebody else has the port says what to do", async () => {
  const findings: { name: string; state: string }[] = await said("doctor");
  const names = findings.filter(({ state }) => state === "good").map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining([
      "web",
      "clock",
      "client port",
      "s2s of users",
      "s2s of agents",
      "s2s of avatars",
    ]),
  );
  expect(names).toEqual(
    expect.arrayContaining([
      "mail port",
      "agents to users",
      "agents to avatars",
      "avatars",
      "queues",
      "table",
      "leases",
    ]),
  );
  const child = spawn(process.execPath, [MAIN, "doctor"], {
    env: { ...process.env, TIDINGS_HOME: inject("home"), TIDINGS_WEB_PORT: "9" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(code).toBe(1);
  expect(out).toContain("BAD  web");
  expect(out).toContain("→ Start Tidings, or set TIDINGS_WEB_PORT to its port.");
});

test("a user is added, shown, moved with their shard, handed out and erased", async () => {
  const name = uniqueName("dora");
  const { password, inbox } = await said("user", "add", name);
  expect(inbox).toMatch(/^[a-z2-7]{20}@/);
  const { token } = wellDone(await new Rest(theatre.webUrl).post("/v1/sessions", { name, password }));
  const dora = new Rest(theatre.webUrl, token);
  const before = await said("avatar", "show", name);
  expect(before).toMatchObject({ avatar: name, isAwake: true, deadLetters: 0 });
  expect(before.rows).toBeGreaterThan(2);

  const elsewhere = before.host === "h1" ? "h2" : "h1";
  expect(await said("avatar", "move", name, elsewhere)).toEqual({
    shard: before.shard,
    from: before.host,
    to: elsewhere,
  });
  await eventually(async () => {
    const after = await said("avatar", "show", name);
    expect(after.host).toBe(elsewhere);
    expect(after.epoch).toBeGreaterThan(before.epoch);
  }, PATIENCE);
  expect((await dora.get("/v1/me")).status).toBe(200);

  const folder = await mkdtemp(join(tmpdir(), "tidings-operators-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "dora.json");
  await said("user", "export", name, file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const exported = JSON.parse(await readFile(file, "utf8"));
  expect(exported).toMatchObject({
    name,
    rows: expect.arrayContaining([expect.objectContaining({ key: "core" })]),
  });
  expect((await tidings("user", "export", name, file)).err).toContain("was not written");
  // The operator's session ended with the export.
  expect(wellDone(await dora.get("/v1/sessions")).items).toHaveLength(1);

  expect(await tidings("user", "erase", name)).toMatchObject({
    code: 1,
    err: expect.stringContaining("--yes"),
  });
  await said("user", "erase", name, "--yes");
  expect((await dora.get("/v1/me")).status).toBe(401);
  expect(await tidings("avatar", "show", name)).toMatchObject({
    code: 1,
    err: `No avatar is called ${name}.\n`,
  });
});

test("every step of a notification is in the logs of all processes under one trace, and tail shows them", async () => {
  const alice = await theatre.user("alice");
  const { url } = wellDone(await alice.rest.post("/v1/publishers", { title: "db1" }));
  await alice.comesOnline();
  const lines = tailed("--level", "debug");
  // What is posted before the ears are open at all processes is not heard of everywhere.
  await eventually(async () => {
    const title = `disk full ${lines.length}`;
    const { items } = (await (await fetch(url, { method: "POST", body: title })).json()) as {
      items: { id: string }[];
    };
    await alice.hasInHistory(title, "received");
    const steps = lines
      .filter(({ trace }) => trace === items[0]?.id)
      .map(({ service, msg }) => `${service}: ${msg}`);
    expect(steps).toEqual(
      expect.arrayContaining([
        "web-api: item is queued",
        "avatar-host: notification numbered",
        "avatar-host: notification told",
        "avatar-host: dispatch decided",
        "agent-xmpp: dispatch came",
        "agent-xmpp: delivery reported",
        "avatar-host: report taken",
      ]),
    );
  }, PATIENCE);
  expect(JSON.stringify(lines)).not.toContain("disk full");
});

test("tail says why a notification is held", async () => {
  const carol = await theatre.user("carol");
  const { url } = wellDone(await carol.rest.post("/v1/publishers", { title: "db3" }));
  const lines = tailed("--user", carol.name);
  await eventually(async () => {
    await fetch(url, { method: "POST", body: "for later" });
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: "delivery decided", state: "held", because: expect.any(String) }),
    );
  }, PATIENCE);
});

test("the figures of all processes are there, and say what has happened", async () => {
  const bob = await theatre.user("bob");
  const { url } = wellDone(await bob.rest.post("/v1/publishers", { title: "db2" }));
  await fetch(url, { method: "POST", body: "held" });
  await bob.hasInHistory("held", "held");
  await bob.comesOnline();
  await fetch(url, { method: "POST", body: "told" });
  await bob.hasInHistory("told", "received");

  const figures = async (process: string) => {
    const [{ targets }] = JSON.parse(
      await readFile(join(inject("home"), "metrics", `${process}.json`), "utf8"),
    );
    return (await fetch(`http://${targets[0]}/metrics`)).text();
  };
  const hosts = (await Promise.all(["avatar-host-h1", "avatar-host-h2"].map(figures))).join("\n");
  expect(hosts).toMatch(/tidings_decisions_total{state="held",because="offline"} [1-9]/);
  expect(hosts).toMatch(/tidings_journal_write_seconds_count [1-9]/);
  expect(hosts).toMatch(/tidings_queue_wait_seconds_count{queue="tidings.shard"} [1-9]/);
  expect(hosts).toMatch(/tidings_frames_sent_total{time="first"} [1-9]/);
  expect(hosts).toMatch(/tidings_shards_taken_total{from="(free|own|dead)"} [1-9]/);
  expect(hosts).toContain("tidings_fencing_refusals_total 0");
  expect(await figures("agent-xmpp")).toMatch(/tidings_item_to_channel_seconds_count [1-9]/);
  expect(await figures("web-api")).toMatch(/tidings_queue_messages{queue="tidings.dead"} \d/);
  // What a process logs is for operators alone, unlike its figures.
  const [{ targets }] = JSON.parse(await readFile(join(inject("home"), "metrics", "web-api.json"), "utf8"));
  expect((await fetch(`http://${targets[0]}/log`)).status).toBe(404);
});
