/** A second ingestor beside the installation's own: they share the work, and what one holds when it is killed is done by the other. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type PollJob, type PollResult, pollPart, QUEUES, shardOf } from "@tidings/protocol";
import { connectQueue, type Queue } from "@tidings/queue";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import { afterEach, expect, inject, test } from "vitest";
import { nodeArguments, nodeEnvironment } from "../run/node-process.ts";
import type { Feed } from "./theatre/feed.ts";
import { openTheatre } from "./theatre/theatre.ts";

const MAIN = fileURLToPath(new URL("../services/ingest-rss/src/main.ts", import.meta.url));
const SOURCE = "rss.shared";
const FEEDS = 64;

const theatre = openTheatre();
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await theatre.clears();
});

/** Starts an ingestor; `parts` is how many of the queues it has, as far as it has said. */
async function ingestor(): Promise<{ readonly process: ChildProcess; readonly said: { parts: number } }> {
  const settings = { TIDINGS_AMQP_URL: inject("amqpUrl"), TIDINGS_FETCH_ALLOW: "127.0.0.0/8" };
  const env = { ...nodeEnvironment(inject("home")), ...settings };
  const child = spawn(process.execPath, [...nodeArguments, MAIN], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  closers.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const said = { parts: 0, isReady: false };
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { msg, parts } = JSON.parse(line) as { msg: string; parts?: number };
    if (msg === "polls are shared") said.parts = parts ?? 0;
    if (msg === "ready") said.isReady = true;
  });
  await eventually(() => expect(said.isReady).toBe(true));
  return { process: child, said };
}

/** Puts jobs for {@link FEEDS} addresses of `feed` on the queues, and hears what comes of them in a silo of its own. */
class Round {
  readonly done = new Set<string>();
  readonly #queue: Queue;
  readonly #silo: string;

  private constructor(queue: Queue, silo: string) {
    this.#queue = queue;
    this.#silo = silo;
  }

  static async open(): Promise<Round> {
    const queue = await connectQueue({ url: inject("amqpUrl"), log: silentLog() });
    closers.push(() => queue.stop());
    const round = new Round(queue, `p${randomUUID().slice(0, 8)}`);
    await queue.consume(QUEUES.shard(round.#silo, shardOf(SOURCE)), 100, (delivery) => {
      round.done.add((JSON.parse(delivery.body) as PollResult).job);
      delivery.ack();
    });
    return round;
  }

  /** Resolves to the ids of the jobs when they are on the queues. */
  async begins(feed: Feed): Promise<string[]> {
    const urls = Array.from({ length: FEEDS }, (_, at) => `${new URL(feed.url).origin}/${at}.rss`);
    const jobs = urls.map((url): PollJob => {
      const validators = { etag: null, lastModified: null };
      return { job: randomUUID(), source: SOURCE, silo: this.#silo, url, validators };
    });
    await Promise.all(
      jobs.map((job) => this.#queue.publish(QUEUES.poll(pollPart(job.url)), JSON.stringify(job))),
    );
    return jobs.map(({ job }) => job);
  }

  isDone(jobs: readonly string[]): Promise<void> {
    return eventually(() => expect(jobs.filter((job) => !this.done.has(job))).toEqual([]));
  }
}

test("two ingestors share the polls; what one holds when it is killed is done by the other", async () => {
  const feed = await theatre.feed("shared");
  feed.publishes("a room");
  const round = await Round.open();
  const second = await ingestor();
  // Only what is idle when the first one looks is given, every five seconds.
  await eventually(
    async () => {
      await round.isDone(await round.begins(feed));
      expect(second.said.parts).toBeGreaterThan(6);
    },
    { withinMs: 40_000 },
  );
  expect(second.said.parts).toBeLessThan(16);

  feed.holdsAnswers();
  const jobs = await round.begins(feed);
  // More than the twenty that either asks for at a time: both hold some.
  await feed.isAsked(30);
  second.process.kill("SIGKILL");
  await once(second.process, "exit");
  feed.letsGo();
  await round.isDone(jobs);
});
