/**
 * The agent is killed while 5,000 users are present, and an item comes at the same time. They are at a server of somebody
 * else, where everybody is there: so many clients cannot log in on this machine.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { canonicalFeedUrl } from "@tidings/protocol";
import { connectQueue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { publisherOf } from "../../../bench/source.ts";
import { openAuthority } from "../../../run/ejabberd/authority.ts";
import { startForeignServer } from "../../foreign-server.ts";
import { checkMemory, checkQuiet } from "../checks.ts";
import { onStageWith } from "../crowd-stage.ts";
import type { Violation } from "../invariants.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { mustHaveStruck } from "../struck.ts";
import type { Scenario } from "./scenario.ts";

const PRESENT = 5_000;
const CROWD = "crowd.localhost";
const SOURCE = canonicalFeedUrl("http://127.0.0.1:9/crowd.rss");
const FIRST_WITHIN_MS = 60_000;
/** From the agent's return until everybody has what came while it was away (milliseconds). */
const KNOWN_WITHIN_MS = 15_000;
const QUIET_WITHIN_MS = 30_000;
/** Probes are spread over 10 s; of all of them at most this many fall into one second. */
const MOST_IN_A_SECOND = PRESENT / 4;

interface Line {
  readonly at: number;
  readonly kind: string;
  readonly to: string;
  readonly id: string;
  readonly text: string;
}

export const agentRestart: Scenario = {
  name: "agent-restart",
  sentence:
    "the agent dies with 5,000 users present: they are known again within 15 s, nothing lost or doubled",
  play: (_, random) => {
    const names = Array.from({ length: PRESENT }, (_unused, at) => `fan${at}`);
    const users = { names, follow: [SOURCE], arePresent: true, at: CROWD };
    return onStageWith(users, (stage) => withCrowd(stage, (lines) => play(stage, random, lines)));
  },
};

/** `lines` reads what the crowd's server has written down so far. */
async function withCrowd<T>(stage: Stage, work: (lines: () => Promise<Line[]>) => Promise<T>): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), "tidings-crash-abroad-"));
  const crowdFile = join(home, "crowd.tsv");
  await writeFile(crowdFile, "");
  const authority = await openAuthority(stage.stack.home);
  const { srv } = stage.stack.ejabberd;
  const server = await startForeignServer({ home, domain: CROWD, srv, authority, users: {}, crowdFile });
  try {
    // It has looked for the crowd before there was one.
    await stage.holds("agent-xmpp");
    await stage.starts("agent-xmpp");
    return await work(async () => parse(await readFile(crowdFile, "utf8")));
  } finally {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  }
}

async function play(stage: Stage, random: Random, lines: () => Promise<Line[]>): Promise<Violation[]> {
  const queue = await connectQueue({ url: stage.stack.amqpUrl, log: silentLog() });
  const publish = publisherOf(queue, SOURCE);
  const first = await publish(1);
  await heardByAll(lines, first, FIRST_WITHIN_MS);
  const agent = stage.stack.service("agent-xmpp");
  const before = agent.pid;
  await stage.holds("agent-xmpp");
  const diedAt = Date.now();
  await pause(random.whole(0, 2_000));
  const second = await publish(2);
  await pause(random.whole(0, 2_000));
  await stage.starts("agent-xmpp");
  const backAt = Date.now();
  mustHaveStruck(agent.pid !== null && agent.pid !== before, "the agent is the same process as before");
  // What is missing when the time is up is told by the check.
  await heardByAll(lines, second, FIRST_WITHIN_MS).catch(() => null);
  await queue.stop();
  const all = await lines();
  return [
    ...checkHeard(all, [first, second]),
    ...checkPace(all, second, diedAt, backAt),
    ...checkMemory(stage),
    ...(await checkQuiet(stage, QUIET_WITHIN_MS)),
  ];
}

async function heardByAll(lines: () => Promise<Line[]>, id: string, withinMs: number): Promise<void> {
  await eventually(
    async () => {
      const heard = new Set((await lines()).filter((line) => line.id === id).map(({ to }) => to));
      mustHaveStruck(heard.size === PRESENT, `${heard.size} of ${PRESENT} have heard ${id}`);
    },
    { withinMs },
  );
}

/** Everybody has heard each item, and with no other id. */
function checkHeard(all: readonly Line[], ids: readonly string[]): Violation[] {
  const messages = all.filter(({ kind }) => kind === "message");
  const found: Violation[] = [];
  for (const id of ids) {
    const heard = new Set(messages.filter((line) => line.id === id).map(({ to }) => to));
    if (heard.size < PRESENT)
      found.push({ invariant: "I1", what: `${PRESENT - heard.size} of ${PRESENT} never heard ${id}` });
  }
  const others = messages.filter(({ id }) => !ids.includes(id));
  if (others.length > 0)
    found.push({ invariant: "I3", what: `${others.length} messages came with another id than the item's` });
  const most = Math.max(
    ...Map.groupBy(messages, ({ to, id }) => `${to} ${id}`)
      .values()
      .map((m) => m.length),
  );
  if (most > 2)
    found.push({ invariant: "I3", what: `somebody was sent one item ${most} times for one death` });
  return found;
}

/** Presence is asked for in the time that is promised, and not all at once. */
function checkPace(all: readonly Line[], second: string, diedAt: number, backAt: number): Violation[] {
  const found: Violation[] = [];
  const lastAt = Math.max(...all.filter(({ id }) => id === second).map(({ at }) => at));
  if (lastAt - backAt > KNOWN_WITHIN_MS)
    found.push({
      invariant: "I1",
      what: `the last one heard ${lastAt - backAt} ms after the agent's return`,
    });
  const probes = all.filter(({ kind, at }) => kind === "probe" && at > diedAt);
  mustHaveStruck(probes.length >= PRESENT, `${probes.length} were asked for their presence again`);
  const busiest = Math.max(
    ...Map.groupBy(probes, ({ at }) => Math.floor(at / 1_000))
      .values()
      .map((asked) => asked.length),
  );
  if (busiest > MOST_IN_A_SECOND)
    found.push({ invariant: "I7", what: `${busiest} of ${probes.length} probes came within one second` });
  return found;
}

function parse(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [at = "", kind = "", to = "", id = "", title = ""] = line.split("\t");
      return { at: Number(at), kind, to, id, text: title };
    });
}
