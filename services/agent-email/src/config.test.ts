import { ConfigError } from "@tidings/runtime";
import { expect, test } from "vitest";
import { config } from "./config.ts";

const GIVEN = {
  TIDINGS_DOMAIN: "example.org",
  TIDINGS_BUS_URL: "xmpp://127.0.0.1:5347",
  TIDINGS_BUS_PASSWORD_FILE: "secret",
  TIDINGS_AMQP_URL: "amqp://127.0.0.1",
  TIDINGS_MAIL_SECRET_FILE: "mail",
  TIDINGS_SMTP_RELAY: "smtp://tidings:p%40ss@relay.example.org:587",
};

test("without more mail comes from the domain, and comes in below it", () => {
  expect(config(GIVEN)).toMatchObject({
    TIDINGS_MAIL_FROM: "notifications@example.org",
    TIDINGS_MAIL_DOMAIN: "in.example.org",
    TIDINGS_MAIL_PUBLIC_URL: "",
  });
});

test.each([
  ["TIDINGS_SMTP_RELAY", "relay.example.org"],
  ["TIDINGS_SMTP_RELAY", "smtp://tidings:secret%E0@relay.example.org"],
  ["TIDINGS_SMTP_RELAY", "smtp://tidings:sec/ret@relay.example.org"],
  ["TIDINGS_SMTP_RELAY", "smtp://relay.example.org?tls.rejectUnauthorized=secret"],
  ["TIDINGS_MAIL_FROM", "Tidings <notifications@example.org>"],
  ["TIDINGS_MAIL_FROM", "a@example.org\nBcc: b@example.org"],
  ["TIDINGS_MAIL_PUBLIC_URL", "http://example.org"],
  ["TIDINGS_MAIL_PUBLIC_URL", "https://example.org/"],
])("%s of %j is refused by name, and without a password", (name, value) => {
  const read = () => config({ ...GIVEN, [name]: value });
  expect(read).toThrow(ConfigError);
  expect(read).toThrow(name);
  expect(read).not.toThrow(/sec/);
});
