import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mailSettings } from "./mail-settings.ts";
import { type Surroundings, serviceProcesses } from "./services.ts";
import { readSettings } from "./settings.ts";

const RELAY = "smtp://tidings:secret@relay.example.org:587";
let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "mail-settings-"));
});
afterEach(() => rmSync(home, { recursive: true }));

function processes(env: NodeJS.ProcessEnv) {
  const around = {
    home,
    domain: "d.test",
    mail: mailSettings(readSettings({ TIDINGS_DOMAIN: "d.test", ...env }, "/")),
    mailPort: 20_014,
    mailDomain: "in.d.test",
    busUrl: () => "xmpp://127.0.0.1:1",
    passwordFile: (component: string) => `/home/secrets/${component}`,
  } as unknown as Surroundings;
  return serviceProcesses("agent-email", 2, around);
}

test("agent-email runs when there is a relay, and is told it, and a secret of the installation's own", () => {
  const [spec, ...others] = processes({ TIDINGS_SMTP_RELAY: RELAY });
  expect(others).toEqual([]);
  expect(spec?.env).toMatchObject({
    TIDINGS_SMTP_RELAY: RELAY,
    TIDINGS_MAIL_DOMAIN: "in.d.test",
    TIDINGS_MAIL_FROM: "notifications@d.test",
    TIDINGS_MAIL_PUBLIC_URL: "",
    TIDINGS_MAIL_PUBLIC_PORT: "20014",
    TIDINGS_BUS_PASSWORD_FILE: "/home/secrets/mail.agents.d.test",
  });
  const secret = spec?.env?.TIDINGS_MAIL_SECRET_FILE ?? "";
  expect(statSync(secret).mode & 0o777).toBe(0o600);
  expect(readFileSync(secret, "utf8")).toMatch(/^[0-9a-f]{64}\n$/);
  const [again] = processes({ TIDINGS_SMTP_RELAY: RELAY });
  expect(readFileSync(again?.env?.TIDINGS_MAIL_SECRET_FILE ?? "", "utf8")).toBe(readFileSync(secret, "utf8"));
});

test("without a relay it does not run", () => {
  expect(processes({})).toEqual([]);
});

test("settings that agent-email could not use end the start", () => {
  const env = {
    TIDINGS_SMTP_RELAY: "relay",
    TIDINGS_MAIL_FROM: "nobody",
    TIDINGS_MAIL_PUBLIC_URL: "http://x",
  };
  for (const name of Object.keys(env)) expect(() => readSettings(env, "/")).toThrow(name);
});

test("a port for the unsubscribing that is named is taken", () => {
  const [spec] = processes({ TIDINGS_SMTP_RELAY: RELAY, TIDINGS_MAIL_PUBLIC_PORT: "8099" });
  expect(spec?.env).toMatchObject({ TIDINGS_MAIL_PUBLIC_PORT: "8099" });
});
