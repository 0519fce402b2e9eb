import { expect, test } from "vitest";
import { readWebConfig } from "./config.ts";
import { clientOf } from "./sign-in-guard.ts";
import { rfc3339, rfc3339OrNull } from "./times.ts";

test.each([
  [0, "1970-01-01T00:00:00.000Z"],
  [1_772_352_000_123.9, "2026-03-01T08:00:00.123Z"],
  [1e300, "9999-12-31T23:59:59.999Z"],
  [-1e300, "0001-01-01T00:00:00.000Z"],
  [Number.NaN, "1970-01-01T00:00:00.000Z"],
])("the moment %d is %s", (at, text) => {
  expect(rfc3339(at)).toBe(text);
});

test("a missing or impossible time is null", () => {
  expect([null, Number.NaN, 1e300, -1e300].map(rfc3339OrNull)).toEqual([null, null, null, null]);
  expect(rfc3339OrNull(0)).toBe("1970-01-01T00:00:00.000Z");
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:db8::", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("the client at %s is counted as %s", (ip, client) => {
  expect(clientOf(ip)).toBe(client);
});

const needed = {
  TIDINGS_BUS_URL: "xmpp://127.0.0.1:5347",
  TIDINGS_BUS_PASSWORD_FILE: "/run/secret",
  TIDINGS_AMQP_URL: "amqp://127.0.0.1",
};

test("the settings have defaults for all but the connections", () => {
  expect(readWebConfig(needed)).toEqual({
    domain: "tidings.localhost",
    busUrl: "xmpp://127.0.0.1:5347",
    busPasswordFile: "/run/secret",
    amqpUrl: "amqp://127.0.0.1",
    xmppService: "xmpp://127.0.0.1:5222",
    address: "127.0.0.1",
    port: 8080,
    trustedProxies: [],
    signUpsPerMinute: 600,
    publishesPerMinute: 600,
    mailDomain: "in.tidings.localhost",
    hubKeyFile: "",
    operatorTokenFile: "",
  });
  const proxies = { ...needed, TIDINGS_WEB_TRUSTED_PROXIES: "10.0.0.0/8, ::1" };
  expect(readWebConfig(proxies).trustedProxies).toEqual(["10.0.0.0/8", "::1"]);
});

test("all problems of the settings are told at once", () => {
  expect(() => readWebConfig({ TIDINGS_WEB_PORT: "70000", TIDINGS_AMQP_URL: "http://x" })).toThrow(
    /(?=.*TIDINGS_WEB_PORT)(?=.*TIDINGS_AMQP_URL)(?=.*TIDINGS_BUS_URL)/,
  );
});
