/** A silo is copied while items flow, and goes on in another installation. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "@tidings/testkit";
import { afterEach, expect, inject, test } from "vitest";
import { type Stack, startStack } from "../run/stack.ts";
import { type Rest, wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const TIDINGS = join(import.meta.dirname, "..", "bin", "tidings");
const theatre = openTheatre();
let folder = "";
let second: Stack | null = null;

afterEach(async () => {
  await second?.stop();
  second = null;
  await theatre.clears();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a command of `bin/tidings` on the state folder `home`. */
async function tidings(home: string, ...args: readonly string[]): Promise<string> {
  const env = { ...process.env, TIDINGS_HOME: home };
  return (await promisify(execFile)(TIDINGS, [...args], { env })).stdout;
}

async function titles(rest: Rest): Promise<string[]> {
  const { items } = wellDone(await rest.get("/v1/history?limit=200"));
  return items.map(({ title }: { title: string }) => title).sort();
}

test("a silo that was copied while items flow goes on in another installation, and nothing is missing", async () => {
  folder = await mkdtemp(join(tmpdir(), "tidings-second-"));
  const [home, copy] = [join(folder, "home"), join(folder, "copy")];
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  await alice.subscribes(feed);
  feed.publishes("Before the copy");
  await alice.hasInHistory("Before the copy", "held");
  let items = 0;
  const flow = setInterval(() => feed.publishes(`Room ${items++}`), 100);

  const said = await tidings(inject("home"), "backup", copy);
  clearInterval(flow);

  expect(said).toMatch(/^\d+ rows of 64 shards are in /);
  await tidings(home, "restore", copy);
  await expect(tidings(home, "restore", copy)).rejects.toThrow(/already holds silo s1/);
  second = await startStack({
    home,
    domain: inject("domain"),
    webPort: "free",
    xmppPort: "free",
    pollMinSeconds: 1,
    fetchAllow: "127.0.0.0/8,::1/128",
  });
  feed.publishes("After the copy");

  const there = alice.rest.at(second.webUrl);
  await eventually(async () => expect(await titles(there)).toContain("After the copy"), { withinMs: 15_000 });
  await alice.hasInHistory("After the copy", "held");
  await eventually(async () => expect(await titles(there)).toEqual(await titles(alice.rest)), {
    withinMs: 15_000,
  });
});
