import { expect, test } from "vitest";
import { readSettings } from "./settings.ts";

test("without any variable the settings are those that the README lists", () => {
  expect(readSettings({}, "/srv/tidings")).toMatchObject({
    TIDINGS_HOME: "/srv/tidings/.tidings",
    TIDINGS_DOMAIN: "tidings.localhost",
    TIDINGS_WEB_PORT: 8080,
    TIDINGS_XMPP_PORT: 5222,
    TIDINGS_MAIL_DOMAIN: "in.tidings.localhost",
    TIDINGS_MAIL_FROM: "notifications@tidings.localhost",
    TIDINGS_HOSTS: 2,
    TIDINGS_POLL_MIN_SECONDS: 300,
    TIDINGS_DYNAMODB_ENDPOINT: "embedded",
    TIDINGS_AMQP_URL: "embedded",
  });
});

test("all unusable settings are named at once", () => {
  const read = () =>
    readSettings({ TIDINGS_WEB_PORT: "http", TIDINGS_HOSTS: "0", TIDINGS_DOMAIN: "Not A Domain" }, "/");
  expect(read).toThrow(/TIDINGS_WEB_PORT/);
  expect(read).toThrow(/TIDINGS_HOSTS/);
  expect(read).toThrow(/TIDINGS_DOMAIN/);
});

test("the mail domain follows the domain, and a given one stands", () => {
  expect(readSettings({ TIDINGS_DOMAIN: "example.org" }, "/").TIDINGS_MAIL_DOMAIN).toBe("in.example.org");
  expect(readSettings({ TIDINGS_MAIL_DOMAIN: "mail.example.org" }, "/").TIDINGS_MAIL_DOMAIN).toBe(
    "mail.example.org",
  );
});

test("relative folders are taken from where the command was given", () => {
  const settings = readSettings({ TIDINGS_HOME: "state", TIDINGS_TLS_DIR: "certificates" }, "/srv");
  expect(settings).toMatchObject({ TIDINGS_HOME: "/srv/state", TIDINGS_TLS_DIR: "/srv/certificates" });
});

test("an unknown log level is refused and a known one taken", () => {
  expect(() => readSettings({ TIDINGS_LOG_LEVEL: "loud" }, "/")).toThrow(/TIDINGS_LOG_LEVEL/);
  expect(readSettings({ TIDINGS_LOG_LEVEL: "debug" }, "/").TIDINGS_LOG_LEVEL).toBe("debug");
});
