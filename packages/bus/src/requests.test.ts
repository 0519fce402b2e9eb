import { xml } from "@tidings/protocol";
import { expect, test } from "vitest";
import { Requests } from "./requests.ts";

const result = (id: string, from?: string) =>
  xml("iq", { type: "result", id, ...(from === undefined ? {} : { from }) });

test("names are compared as servers write them", async () => {
  const requests = new Requests();
  const answer = requests.answerTo("1", "Room@Example.org", 1_000);
  requests.settle(result("1", "room@example.org"));
  await expect(answer).resolves.toBeDefined();
});

test("what a client asks its own server is answered without a name", async () => {
  const requests = new Requests();
  const answer = requests.answerTo("1", "", 1_000);
  requests.settle(result("1"));
  await expect(answer).resolves.toBeDefined();
});

test("after a break an answer is waited for a little, not to the end", async () => {
  const requests = new Requests();
  const long = requests.answerTo("1", "a", 60_000);
  requests.hurry(10);
  await expect(long).rejects.toMatchObject({ type: "wait", condition: "remote-server-timeout" });
});

test("an answer that comes twice or too late is dropped", async () => {
  const requests = new Requests();
  const answer = requests.answerTo("1", "a", 1);
  await expect(answer).rejects.toMatchObject({ type: "wait" });
  requests.settle(result("1", "a"));
  expect(requests.isPending("1")).toBe(false);
});
