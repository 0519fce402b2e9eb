import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fleetCommands } from "./fleet.ts";
import { nobody } from "./stand-in.ts";

const host = (id: string, rest: object = {}) => ({
  id,
  state: "serving",
  shards: 32,
  awakeAvatars: 5,
  busy: 0.42,
  residentBytes: 150 * 1_048_576,
  framesWaiting: 0,
  parkedStreams: 0,
  ...rest,
});

const WELL = {
  isWell: true,
  sentence: "All well: 2 hosts, 64 of 64 shards served, 0 messages wait",
  troubles: [] as string[],
};

let home = "";
let server: Server;
let asked: string[] = [];
let out: string[] = [];
let answers: Record<string, object> = {};

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "cli-"));
  mkdirSync(join(home, "secrets"));
  writeFileSync(join(home, "secrets", "operator"), "the token\n");
  [asked, out] = [[], []];
  const shards = Array.from({ length: 64 }, (_, shard) => ({ shard, host: "h1", epoch: 3 }));
  const decision = { at: "2026-03-01T08:00:00.000Z", wanted: 2, reason: "an operator has asked for it" };
  const hosts = {
    items: [host("h1"), host("h2")],
    wanted: 2,
    least: 2,
    most: 4,
    problem: null,
    decisions: [decision],
  };
  answers = {
    "/hosts": hosts,
    "/shards": { items: shards },
    "/queues": { items: [{ queue: "tidings.dead", waiting: 0 }] },
    "/status": WELL,
    "/scale": hosts,
    "/hosts/h2/drain": { ...hosts, wanted: 1 },
  };
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push(`${request.method} ${request.url} ${request.headers.authorization} ${body}`.trim());
    response.setHeader("connection", "close");
    const answer = answers[request.url?.replace("/v1/operations", "") ?? ""];
    if (answer === undefined) response.statusCode = 404;
    response.end(JSON.stringify(answer ?? { detail: "No host that serves is called h9." }));
  }).listen(0, "localhost");
  await once(server, "listening");
});
afterEach(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

async function run(name: string, ...args: string[]): Promise<number> {
  const command = fleetCommands.find((one) => one.name === name);
  const port = (server.address() as AddressInfo).port;
  const env = { TIDINGS_HOME: home, TIDINGS_WEB_PORT: String(port) };
  const surroundings = {
    ...nobody,
    env,
    cwd: "/",
    out: (line: string) => out.push(line),
    err: () => undefined,
  };
  return (await command?.run(args, surroundings)) ?? -1;
}

test("all well is one line, with exit code 0", async () => {
  expect(await run("status")).toBe(0);
  expect(out).toEqual(["All well: 2 hosts, 64 of 64 shards served, 0 messages wait"]);
  expect(await run("status", "--json")).toBe(0);
  expect(JSON.parse(out[1] ?? "")).toEqual(WELL);
});

test("each trouble is a line, with exit code 1", async () => {
  const troubles = ["h2 runs and says nothing.", "2 dead letters can be replayed."];
  answers["/status"] = { isWell: false, sentence: "Not well: 1 host", troubles };
  expect(await run("status")).toBe(1);
  expect(out).toEqual(["Not well: 1 host", ...troubles.map((trouble) => `  ${trouble}`)]);
});

test("hosts, shards and queues are listed for people", async () => {
  expect(await run("hosts")).toBe(0);
  expect(out[0]).toBe("h1   serving   32 shards, 5 awake, 42 % busy, 150 MB");
  expect(out.at(-1)).toBe("2026-03-01T08:00:00.000Z  2: an operator has asked for it");
  out = [];
  expect(await run("shards")).toBe(0);
  expect(out[63]).toBe("63\th1\t3");
  out = [];
  expect(await run("queues")).toBe(0);
  expect(out).toEqual(["nothing waits"]);
});

test("a host is drained and the number changed, with the operators' token; nonsense is refused with how it is used", async () => {
  expect(await run("drain", "h2")).toBe(0);
  expect(await run("scale", "3")).toBe(0);
  expect(asked).toEqual([
    "POST /v1/operations/hosts/h2/drain Bearer the token {}",
    'POST /v1/operations/scale Bearer the token {"hosts":3}',
  ]);
  expect(out[0]).toBe("1 hosts are wanted now; see tidings hosts");
  await expect(run("drain", "h9")).rejects.toThrow("No host that serves is called h9.");
  await expect(run("drain")).rejects.toThrow("usage: tidings drain <host>");
  await expect(run("scale", "many")).rejects.toThrow("usage: tidings scale <hosts>");
  await expect(run("status", "now")).rejects.toThrow("usage: tidings status");
});
