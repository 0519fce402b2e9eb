import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { deadLetters } from "./dead-letters.ts";
import { nobody } from "./stand-in.ts";

const LETTER = { id: "bob~1-001", owner: "bob", at: null, kind: "event", error: "Error: no", excerpt: "" };

let home = "";
let server: Server;
let asked: string[] = [];
let left = [LETTER];
let out: string[] = [];
let err: string[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "cli-"));
  mkdirSync(join(home, "secrets"));
  writeFileSync(join(home, "secrets", "operator"), "the token\n");
  asked = [];
  out = [];
  err = [];
  left = [LETTER];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    response.setHeader("connection", "close");
    if (request.method === "GET") response.end(JSON.stringify({ items: left, next: null }));
    else if (left.length === 0) {
      response.statusCode = 404;
      response.end(JSON.stringify({ detail: "There is no such dead letter." }));
    } else {
      left = [];
      response.statusCode = 204;
      response.end();
    }
  }).listen(0, "localhost");
  await once(server, "listening");
});
afterEach(async () => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

function run(...args: string[]): Promise<number> {
  const port = (server.address() as AddressInfo).port;
  const env = { TIDINGS_HOME: home, TIDINGS_WEB_PORT: String(port) };
  return deadLetters.run(args, {
    ...nobody,
    env,
    cwd: "/",
    out: (line) => out.push(line),
    err: (line) => err.push(line),
  });
}

test("dead letters are listed with the operators' token, for people and for programs", async () => {
  expect(await run("list")).toBe(0);
  expect(await run("list", "--json")).toBe(0);
  expect(out).toEqual(["bob~1-001  -  event  Error: no", JSON.stringify(LETTER)]);
  expect(asked[0]).toBe("GET /v1/operations/dead-letters?limit=200 Bearer the token");
});

test("all of them, or one, are replayed; what fails is said, and is exit code 1", async () => {
  expect(await run("replay", "--all")).toBe(0);
  expect(out).toEqual(["replayed bob~1-001"]);
  expect(await run("replay", "bob~1-001")).toBe(1);
  expect(err).toEqual(["bob~1-001: There is no such dead letter."]);
});

test("what is missing is said with the way out", async () => {
  rmSync(join(home, "secrets", "operator"));
  await expect(run("list")).rejects.toThrow(`${join(home, "secrets", "operator")} cannot be read`);
  await expect(run()).rejects.toThrow(/cannot be read|usage/);
});
