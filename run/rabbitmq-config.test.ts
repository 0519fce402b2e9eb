import { expect, test } from "vitest";
import { rabbitmqConfig, rabbitmqDefinitions } from "./rabbitmq-config.ts";

test("the password is kept as RabbitMQ's salted hash, with the example of its manual", () => {
  const definitions = JSON.parse(rabbitmqDefinitions("test12", Buffer.from("908DC60A", "hex")));
  expect(definitions.users[0].password_hash).toBe("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR");
});

test("there is one user with one virtual host, and it is not guest", () => {
  const definitions = JSON.parse(rabbitmqDefinitions("secret"));
  expect(definitions.users.map(({ name }: { name: string }) => name)).toEqual(["tidings"]);
  expect(definitions.vhosts).toEqual([{ name: "tidings" }]);
  expect(JSON.stringify(definitions)).not.toContain("secret");
});

test("the broker listens on the loopback address only", () => {
  const listeners = rabbitmqConfig(25_672, "/srv/definitions.json").match(/^listeners.*$/gm);
  expect(listeners).toEqual(["listeners.tcp.1 = 127.0.0.1:25672"]);
});
