/**
 * `npm run bench [-- --json] [-- --only <suite>]`: each figure next to the raw limit of its path, measured in the
 * same run on the same servers. Progress goes to standard error; with `--json` the figures go to standard output.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { ServiceKind } from "../run/services.ts";
import { type Stack, startStack } from "../run/stack.ts";
import { measureDecide } from "./decide.ts";
import { measureFanOut } from "./fan-out.ts";
import { measureLargeFanOut, seedFanOut } from "./fan-out-100k.ts";
import { type Figure, printFigures } from "./figures.ts";
import { measureLatency } from "./latency.ts";
import { measureMemory } from "./memory.ts";
import { measurePubsub } from "./pubsub.ts";
import { measureConfirms, measureFederation, measureJournalPut } from "./raw-limits.ts";

const { values: options } = parseArgs({ options: { json: { type: "boolean" }, only: { type: "string" } } });

const DOMAIN = "tidings.localhost";

/** Runs `work` on an installation of its own, which is gone afterwards. */
async function onStack<Prepared = void>(
  services: readonly ServiceKind[] | undefined,
  work: (stack: Stack, prepared: Prepared) => Promise<Figure[]>,
  prepare?: (home: string, domain: string) => Promise<Prepared>,
): Promise<Figure[]> {
  const home = await mkdtemp(join(tmpdir(), "tidings-bench-"));
  const plan = {
    home,
    domain: DOMAIN,
    webPort: "free",
    xmppPort: "free",
    pollMinSeconds: 86_400,
    fetchAllow: "127.0.0.0/8",
    logLevel: "warn",
  } as const;
  const prepared = (await prepare?.(home, DOMAIN)) as Prepared;
  const stack = await startStack({ ...plan, ...(services === undefined ? {} : { services }) });
  try {
    return await work(stack, prepared);
  } finally {
    await stack.stop();
    await rm(home, { recursive: true, force: true });
  }
}

function figureOf(figures: readonly Figure[], name: string): number {
  return figures.find((figure) => figure.name === name)?.value ?? Number.NaN;
}

const suites: Record<string, () => Promise<Figure[]>> = {
  latency: () =>
    onStack(undefined, async (stack) => {
      const raw = [
        ...(await measureConfirms(stack)),
        ...(await measureJournalPut(stack)),
        ...(await measureFederation(stack)),
      ];
      const measured = await measureLatency(stack);
      const share = figureOf(measured, "durable items to one client") / figureOf(raw, "federated stanzas");
      const legs = 2 * figureOf(raw, "journal put p50") + 4 * figureOf(raw, "federated stanza p50");
      return [
        ...raw,
        { name: "raw legs of the way", value: legs, unit: "ms", beside: "two journal puts, four stanzas" },
        ...measured,
        { name: "share of the raw federated rate", value: 100 * share, unit: "%", beside: "target ≥ 10" },
      ];
    }),
  "fan-out": async () => {
    const durable = await onStack(["avatar-host", "ingest-rss"], measureFanOut);
    const undurable = await onStack([], measurePubsub);
    const ratio = figureOf(durable, "durable deliveries") / figureOf(undurable, "mod_pubsub deliveries");
    return [
      ...undurable,
      ...durable,
      { name: "times mod_pubsub", value: ratio, unit: "", beside: "target > 1" },
    ];
  },
  decide: measureDecide,
  memory: measureMemory,
  "fan-out-100k": () => onStack(["avatar-host"], measureLargeFanOut, seedFanOut),
};

const wanted = Object.entries(suites).filter(([name]) => options.only === undefined || options.only === name);
if (wanted.length === 0) throw new Error(`--only takes one of ${Object.keys(suites).join(", ")}`);
const results: Record<string, Figure[]> = {};
for (const [name, suite] of wanted) {
  results[name] = await suite();
  printFigures(name, results[name]);
}
if (options.json)
  process.stdout.write(
    `${JSON.stringify({ cores: cpus().length, node: process.version, results }, null, 2)}\n`,
  );
