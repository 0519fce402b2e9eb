import { ConfigError } from "@tidings/runtime";
import { expect, test } from "vitest";
import { readIngestRssConfig } from "./config.ts";

const NEEDED = { TIDINGS_AMQP_URL: "amqp://localhost" };

test("the settings have defaults, and networks are a list", () => {
  const env = { ...NEEDED, TIDINGS_FETCH_ALLOW: "127.0.0.0/8, ::1" };
  expect(readIngestRssConfig(env)).toEqual({
    amqpUrl: "amqp://localhost",
    fetchAllow: ["127.0.0.0/8", "::1"],
    publicUrl: null,
    webPort: 8_080,
    hubKeyFile: null,
    concurrency: 20,
  });
});

test("what is wrong is told by name", () => {
  const env = { ...NEEDED, TIDINGS_FETCH_ALLOW: "127.0.0.0/33 intranet" };
  expect(() => readIngestRssConfig(env)).toThrow(ConfigError);
  expect(() => readIngestRssConfig(env)).toThrow("127.0.0.0/33, intranet");
  expect(() => readIngestRssConfig({ TIDINGS_FETCH_CONCURRENCY: "0" })).toThrow(
    /TIDINGS_AMQP_URL.*TIDINGS_FETCH_CONCURRENCY|TIDINGS_FETCH_CONCURRENCY.*TIDINGS_AMQP_URL/,
  );
});
