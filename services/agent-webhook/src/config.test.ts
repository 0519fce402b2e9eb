import { expect, test } from "vitest";
import { config } from "./config.ts";

const GIVEN = {
  TIDINGS_BUS_URL: "xmpp://127.0.0.1:5347",
  TIDINGS_BUS_PASSWORD_FILE: "secret",
  TIDINGS_AMQP_URL: "amqp://127.0.0.1",
};

test("networks are read, and what is none is said", () => {
  expect(config(GIVEN)).toMatchObject({ TIDINGS_DOMAIN: "tidings.localhost", fetchAllow: [] });
  expect(config({ ...GIVEN, TIDINGS_FETCH_ALLOW: "10.0.0.0/8, ::1" }).fetchAllow).toEqual([
    "10.0.0.0/8",
    "::1",
  ]);
  expect(() => config({ ...GIVEN, TIDINGS_FETCH_ALLOW: "intranet" })).toThrow("holds no networks: intranet");
});
