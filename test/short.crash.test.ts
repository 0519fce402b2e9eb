/** A short part of `npm run test:crash`: an installation of its own that is killed while items flow. */
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Random } from "./crash/random.ts";
import { SHORT_SCENARIOS } from "./crash/scenarios/index.ts";
import { Stage } from "./crash/stage.ts";
import { Suite } from "./crash/suite.ts";

/** All of it has to stay below 90 s; one scenario that hangs is told by what it waits for, long before this. */
const WITHIN_MS = 300_000;

let home: string;
let stage: Stage;
const said: string[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "tidings-crash-"));
  stage = await Stage.open({ home, tell: (line) => said.push(line) });
});

afterAll(async () => {
  await stage?.close();
  await rm(home, { recursive: true, force: true });
}, 60_000);

test.each(SHORT_SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  "%s",
  async (_name, scenario) => {
    const suite = new Suite(stage, (line) => said.push(line));
    said.length = 0;
    const isGood = await suite.play(scenario, new Random(randomInt(2 ** 31)));
    expect(isGood, said.join("\n")).toBe(true);
  },
  WITHIN_MS,
);
