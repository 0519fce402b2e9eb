import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { rememberStart, settingsAsStarted } from "./last-start.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "last-start-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const START = {
  TIDINGS_DOMAIN: "example.org",
  TIDINGS_WEB_PORT: "18080",
  TIDINGS_XMPP_PORT: "15222",
  TIDINGS_SMTP_PORT: "12525",
  TIDINGS_DYNAMODB_ENDPOINT: "aws",
};

test("who names the state folder finds what was started there; what is said goes before it", () => {
  rememberStart(home, START);
  const asStarted = {
    ...START,
    TIDINGS_WEB_PORT: 18_080,
    TIDINGS_XMPP_PORT: 15_222,
    TIDINGS_SMTP_PORT: 12_525,
  };
  expect(settingsAsStarted({ TIDINGS_HOME: home }, "/")).toMatchObject(asStarted);
  expect(settingsAsStarted({ TIDINGS_HOME: home, TIDINGS_WEB_PORT: "80" }, "/").TIDINGS_WEB_PORT).toBe(80);
});

test("a folder in which nothing was started, or a file that cannot be read, leaves the defaults", () => {
  expect(settingsAsStarted({ TIDINGS_HOME: home }, "/").TIDINGS_WEB_PORT).toBe(8_080);
  writeFileSync(join(home, "last-start.json"), '{"TIDINGS_WEB');
  expect(settingsAsStarted({ TIDINGS_HOME: home }, "/").TIDINGS_WEB_PORT).toBe(8_080);
});
