/** An operator has a third host added and taken away again, time and again, while items flow and a program publishes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "@tidings/testkit";
import { Rest, wellDone } from "../../theatre/rest.ts";
import { gather, judge, publish } from "../cast.ts";
import type { Violation } from "../invariants.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";

const CYCLES = 2;
const LONG_CYCLES = 20;
const ITEMS_PER_CYCLE = 400;
const CYCLE_MS = 40_000;
/** From the operator's word until all hosts have their shares (milliseconds). */
const SPREAD_WITHIN_MS = 30_000;
const POST_EVERY_MS = 150;
/** From the POST to the client (milliseconds). */
const LATE_MS = 2_000;

export const scaleCycles: Scenario = {
  name: "scale-cycles",
  sentence:
    "hosts come and go by an operator's word under load: shares within 30 s, no message later than 2 s",
  play: (stage, random) => play(stage, random, CYCLES),
  playLong: (stage, random) => play(stage, random, LONG_CYCLES),
};

async function play(stage: Stage, random: Random, cycles: number): Promise<Violation[]> {
  const monitor = stage.stack.service("monitor");
  await monitor.start();
  try {
    const cast = await gather(stage, 4);
    const post = await program(stage);
    const load = { items: ITEMS_PER_CYCLE * cycles, lengthMs: CYCLE_MS * cycles };
    const isOver = new AbortController();
    const posting = postSteadily(post.send, isOver.signal);
    const publishing = publish(cast.feeds, random, load);
    const violations = await scaleUpAndDown(stage, cycles);
    isOver.abort();
    await Promise.all([posting, publishing]);
    await stage.recovers();
    return [...violations, ...(await post.lateness(await posting)), ...(await judge(stage, cast))];
  } finally {
    await monitor.stop(5_000);
  }
}

async function scaleUpAndDown(stage: Stage, cycles: number): Promise<Violation[]> {
  const { home, webUrl } = stage.stack;
  const operator = new Rest(webUrl, readFileSync(join(home, "secrets", "operator"), "utf8").trim());
  const least = stage.hosts.length;
  const violations: Violation[] = [];
  for (let step = 0; step < cycles * 2; step++) {
    const wanted = step % 2 === 0 ? least + 1 : least;
    const beganMs = performance.now();
    await eventually(async () => wellDone(await operator.post("/v1/operations/scale", { hosts: wanted })));
    await eventually(() => isSpread(operator, wanted), { withinMs: SPREAD_WITHIN_MS * 2 });
    const tookMs = performance.now() - beganMs;
    if (tookMs > SPREAD_WITHIN_MS)
      violations.push({
        invariant: "I1",
        what: `${wanted} hosts had their shares after ${Math.round(tookMs)} ms`,
      });
  }
  return violations;
}

/** All shards are served, by so many hosts, as many by each. */
async function isSpread(operator: Rest, wanted: number): Promise<void> {
  const { items } = wellDone(await operator.get("/v1/operations/hosts"));
  const serving = items.filter(({ state }: { state: string }) => state === "serving");
  const shares: number[] = serving.map(({ shards }: { shards: number }) => shards);
  const total = shares.reduce((sum, shards) => sum + shards, 0);
  if (items.length !== wanted || serving.length !== wanted || total !== 64)
    throw new Error(`${serving.length} of ${items.length} hosts serve ${total} shards; ${wanted} are wanted`);
  if (Math.max(...shares) - Math.min(...shares) > 1) throw new Error(`the shares are ${shares.join(", ")}`);
}

/** When each message was posted (epoch milliseconds), by its title. */
type Posted = ReadonlyMap<string, number>;

async function program(stage: Stage) {
  const dora = await stage.person("dora");
  const { url } = await dora.publisher("program");
  await dora.client.comesOnline();
  await dora.isSeen();
  const send = async (title: string) => {
    // An answer that does not come, or says that it is not now, is asked for again with the same key: it is one message.
    await eventually(async () => {
      const headers = { "idempotency-key": title };
      const answer = await fetch(url, { method: "POST", body: title, headers });
      if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
    });
  };
  const lateness = async (posted: Posted): Promise<Violation[]> => {
    const heard = () => new Map(dora.client.heard.toReversed().map(({ title, at }) => [title, at]));
    await eventually(
      () => {
        const missing = [...posted.keys()].filter((title) => !heard().has(title));
        if (missing.length > 0)
          throw new Error(`${missing.length} messages were not heard, such as ${missing[0]}`);
      },
      { withinMs: 60_000 },
    );
    const times = heard();
    const waits = [...posted].map(([title, at]) => ({ title, ms: (times.get(title) ?? 0) - at }));
    const worst = waits.reduce((a, b) => (b.ms > a.ms ? b : a));
    const late = waits.filter(({ ms }) => ms > LATE_MS);
    const what = `${late.length} of ${waits.length} messages came later than ${LATE_MS} ms; "${worst.title}" after ${worst.ms} ms`;
    const id = dora.client.heard.find(({ title }) => title === worst.title)?.id ?? "";
    const trace = await dora.trace(id);
    const steps = trace.map(
      ({ at, what }) => `${Date.parse(at) - (posted.get(worst.title) ?? 0)} ms ${what}`,
    );
    stage.tell(`the latest of ${waits.length} messages came after ${worst.ms} ms: ${steps.join("; ")}`);
    return late.length === 0 ? [] : [{ invariant: "I1", what }];
  };
  return { send, lateness };
}

async function postSteadily(send: (title: string) => Promise<void>, over: AbortSignal): Promise<Posted> {
  const posted = new Map<string, number>();
  const under: Promise<void>[] = [];
  for (let number = 1; !over.aborted; number++) {
    const title = `message ${number}`;
    posted.set(title, Date.now());
    under.push(send(title));
    await pause(POST_EVERY_MS);
  }
  await Promise.all(under);
  return posted;
}
