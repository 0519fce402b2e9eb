import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { counter, gauge, metricsText, serveMetrics } from "./metrics.ts";

test("what is counted and what is read are in the text, with their labels", async () => {
  const polls = counter("test_polls_total", "Polls.", ["outcome"]);
  polls.inc({ outcome: "items" });
  polls.inc({ outcome: "items" }, 2);
  let depth = 1;
  gauge("test_depth", "Depth.", () => depth);
  gauge("test_depth", "Depth, of who came later.", () => depth * 10);
  depth = 4;
  const { type, text } = await metricsText();
  expect(type).toContain("text/plain");
  expect(text).toContain('test_polls_total{outcome="items"} 3');
  expect(text).toContain("test_depth 40");
});

test("a service's metrics are where its file says, and gone with it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tidings-metrics-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "metrics", "h1.json");
  let isReady = false;
  const place = { file, address: "127.0.0.1", port: 0, token: "the token", isReady: () => isReady };
  const close = await serveMetrics("avatar-host", place);
  const [{ targets, labels }] = JSON.parse(readFileSync(file, "utf8"));
  expect(labels).toEqual({ service: "avatar-host", process: "h1" });
  const answer = await fetch(`http://${targets[0]}/metrics`);
  expect(await answer.text()).toContain("process_resident_memory_bytes");
  expect((await fetch(`http://${targets[0]}/`)).status).toBe(404);
  expect((await fetch(`http://${targets[0]}/ready`)).status).toBe(503);
  isReady = true;
  expect((await fetch(`http://${targets[0]}/ready`)).status).toBe(200);
  await close();
  expect(() => readFileSync(file)).toThrow();
  await expect(fetch(`http://${targets[0]}/metrics`)).rejects.toThrow();
});
