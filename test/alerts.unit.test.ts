/** The alert rules, their runbooks and the dashboard: tried by Prometheus' own tool, and true to the figures that there are. */
import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const OPERATIONS = join(ROOT, "operations");
const read = (name: string) => readFileSync(join(OPERATIONS, name), "utf8");
const run = promisify(execFile);

/** The names in expressions that Prometheus' query language has itself are not of this form. */
const FIGURE = /\b(?:tidings|process|nodejs)_[a-z_]+\b/g;

/** Where the code makes one. */
const COUNTED = /\b(?:counter|gauges?|histogram)\(\s*"((?:tidings|process|nodejs)_[a-z_]+)"/g;

/** Figures that the code counts, with what Prometheus makes of a histogram. */
function counted(): Set<string> {
  const files = globSync(["packages/*/src/**/*.ts", "services/*/src/**/*.ts"], { cwd: ROOT });
  const names = files
    .filter((file) => !file.endsWith(".test.ts"))
    .flatMap((file) => [...readFileSync(join(ROOT, file), "utf8").matchAll(COUNTED)])
    .map(([, name]) => name as string);
  return new Set(names.flatMap((name) => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]));
}

test("Prometheus takes the rules, and each alert rings when it is to and not before", async () => {
  await run("promtool", ["check", "rules", join(OPERATIONS, "alerts.yml")]);
  await run("promtool", ["check", "config", "--syntax-only", join(OPERATIONS, "prometheus.yml")]);
  await run("promtool", ["test", "rules", join(OPERATIONS, "alerts.test.yml")]);
});

test("each alert is tested to ring, and has a runbook that says what to do", () => {
  const alerts = [...read("alerts.yml").matchAll(/- alert: (\w+)[\s\S]*?runbook: (\S+)/g)];
  expect(alerts.length).toBeGreaterThan(10);
  const tested = [...read("alerts.test.yml").matchAll(/alertname: (\w+)\n\s+exp_alerts:\n/g)].map(
    ([, name]) => name,
  );
  for (const [, name, runbook] of alerts) {
    expect(tested).toContain(name);
    const text = read(runbook as string);
    for (const part of ["**For users:**", "**Look:**", "**Do:**"]) expect(text, `${runbook}`).toContain(part);
  }
});

test("rules and dashboard ask for figures that there are, and the runbooks and the README name the same", () => {
  const there = counted();
  const texts = {
    alerts: read("alerts.yml"),
    dashboard: read("dashboard.json"),
    readme: readFileSync(join(ROOT, "README.md"), "utf8"),
  };
  for (const [where, text] of Object.entries(texts))
    for (const [name] of text.matchAll(FIGURE)) expect(there, `${where} asks for ${name}`).toContain(name);
  const named = [...there].filter((name) => /^tidings_.*(?<!_bucket|_count|_sum)$/.test(name));
  expect(named.filter((name) => !texts.readme.includes(`\`${name}\``))).toEqual([]);
});

test("links between runbooks lead somewhere", () => {
  for (const file of globSync("runbooks/*.md", { cwd: OPERATIONS }))
    for (const [, target] of read(file).matchAll(/\]\(([\w-]+\.md)\)/g))
      expect(existsSync(join(OPERATIONS, "runbooks", target as string)), `${file} → ${target}`).toBe(true);
});
