import type { CallResult, Hub, PollResult } from "@tidings/protocol";
import { expect, test } from "vitest";
import { Rehearsal } from "../rehearsal.ts";
import { LEASE_SECONDS } from "./hub-lease.ts";
import { SourceAvatar } from "./source-avatar.ts";
import { itemNamed, NAME, resultWith } from "./source-stage.ts";

const MIN_MS = 300_000;
const PACE = { minMs: MIN_MS, spread: () => 0 };
const ADDRESS = "https://example.org/feed";
const HUB: Hub = { url: "https://hub.example/", topic: ADDRESS };
const DAY_MS = 86_400_000;

/** A feed with one subscriber, and a baseline that names `hub`. */
class Stage {
  readonly source = new Rehearsal(NAME, () => new SourceAvatar({ silo: "s1", pace: PACE, web: "web.d" }));

  constructor(hub: Hub | null = HUB) {
    this.source.hears("alice", { type: "subscribed", url: ADDRESS });
    this.finds(["old"], { hub });
  }

  finds(titles: readonly string[], more: Partial<PollResult> = {}): string[] {
    const items = titles.map((title) => itemNamed(title));
    this.source.getsResult(resultWith(this.source, items, { hub: HUB, ...more }));
    return this.source.told.flatMap(({ event }) =>
      event.type === "notified" ? [event.notification.title] : [],
    );
  }

  isSent(...titles: string[]): string[] {
    return this.finds(titles, { pushed: true });
  }

  /** The hub asks whether it is to do that. */
  async asks(mode: string, topic = ADDRESS, leaseSeconds = 864_000, fromDomain = "web.d"): Promise<boolean> {
    const args = { mode, topic, leaseSeconds };
    return ((await this.source.isCalled({ name: "hubIntent", args, fromDomain })) as CallResult<"hubIntent">)
      .agreed;
  }

  /** The hubs that are asked after the last turn. */
  get asked() {
    return this.source.jobs.flatMap((job) => ("hub" in job ? [job] : []));
  }

  /** How long until the next poll (milliseconds). */
  get pauseMs(): number {
    return (this.source.alarmAt ?? 0) - this.source.nowAt;
  }
}

test("a hub that the feed names is asked once, and again after an hour without an answer", () => {
  const stage = new Stage();
  expect(stage.asked).toMatchObject([{ source: NAME, silo: "s1", hub: HUB, leaseSeconds: LEASE_SECONDS }]);
  stage.finds(["old"]);
  expect(stage.asked).toEqual([]);
  stage.source.nowAt += 3_600_000;
  stage.finds(["old"]);
  expect(stage.asked).toHaveLength(1);
});

test("what the hub asks is agreed to when the source wants it, and only web-api asks for it", async () => {
  const stage = new Stage();
  expect(await stage.asks("subscribe", "https://other.example/")).toBe(false);
  expect(await stage.asks("subscribe", ADDRESS, 0)).toBe(false);
  await expect(stage.asks("subscribe", ADDRESS, 60, "im.d")).rejects.toThrow("takes no call");
  expect(await stage.asks("subscribe")).toBe(true);
  expect(await stage.asks("unsubscribe")).toBe(false);
  expect(await new Stage(null).asks("subscribe")).toBe(false);
  expect(await new Stage(null).asks("unsubscribe")).toBe(true);
});

test("a feed whose hub sends is polled more seldom, and at the latest when the lease has to be renewed", async () => {
  const stage = new Stage();
  expect(stage.pauseMs).toBe(MIN_MS);
  await stage.asks("subscribe");
  stage.finds(["old"]);
  expect(stage.pauseMs).toBe(10 * MIN_MS);
  stage.source.nowAt += 7 * DAY_MS;
  stage.finds(["old"]);
  expect(stage.asked).toEqual([]);
  expect(stage.pauseMs).toBe(0.5 * DAY_MS);
  stage.source.nowAt += 0.5 * DAY_MS;
  stage.finds(["old"]);
  expect(stage.asked).toHaveLength(1);
});

test("what the hub sends is told once; a poll finds nothing new in it", async () => {
  const stage = new Stage();
  await stage.asks("subscribe");
  expect(stage.isSent("a")).toEqual(["a"]);
  expect(stage.isSent("a", "b")).toEqual(["b"]);
  expect(stage.finds(["b", "a", "old"])).toEqual([]);
});

test("nothing that is sent counts before the baseline", () => {
  const source = new Rehearsal(NAME, () => new SourceAvatar({ silo: "s1", pace: PACE, web: "web.d" }));
  source.hears("alice", { type: "subscribed", url: ADDRESS });
  const stage = Object.assign(Object.create(Stage.prototype) as Stage, { source });
  expect(stage.isSent("a")).toEqual([]);
  expect(stage.finds(["a"])).toEqual([]);
  expect(stage.finds(["b", "a"])).toEqual(["b"]);
});

test("something that cannot be read makes it poll, but not twice", () => {
  const stage = new Stage();
  stage.isSent();
  expect(stage.source.jobs).toMatchObject([{ url: ADDRESS }]);
  stage.isSent();
  expect(stage.source.jobs).toEqual([]);
});

test("a hub that keeps quiet while polls find news is not relied on, until it sends again", async () => {
  const stage = new Stage();
  await stage.asks("subscribe");
  stage.finds(["a"]);
  expect(stage.pauseMs).toBe(10 * MIN_MS);
  stage.finds(["b"]);
  expect(stage.pauseMs).toBe(MIN_MS);
  stage.isSent("c");
  stage.finds(["c"]);
  expect(stage.pauseMs).toBe(10 * MIN_MS);
});

test("a hub that will not send is asked again after a week; another one at once", async () => {
  const stage = new Stage();
  await stage.asks("subscribe");
  expect(await stage.asks("denied")).toBe(true);
  stage.finds(["old"]);
  expect(stage.pauseMs).toBe(MIN_MS);
  stage.source.nowAt += 6 * DAY_MS;
  stage.finds(["old"]);
  expect(stage.asked).toEqual([]);
  stage.finds(["old"], { hub: { ...HUB, url: "https://other.example/" } });
  expect(stage.asked).toHaveLength(1);
});

test("a document that names no hub ends it; one that has not changed says nothing of it", async () => {
  const stage = new Stage();
  await stage.asks("subscribe");
  stage.finds([], { outcome: "unchanged", hub: undefined as never });
  expect(stage.pauseMs).toBe(10 * MIN_MS);
  stage.finds(["old"], { hub: null });
  expect(stage.pauseMs).toBe(MIN_MS);
  expect(await stage.source.isCalled({ name: "hubTopic", args: {}, fromDomain: "web.d" })).toEqual({
    url: null,
  });
});

test("when nobody wants to hear of it any more, nothing is wanted from the hub", async () => {
  const stage = new Stage();
  await stage.asks("subscribe");
  const topic = () => stage.source.isCalled({ name: "hubTopic", args: {}, fromDomain: "web.d" });
  expect(await topic()).toEqual({ url: ADDRESS });
  stage.source.hears("alice", { type: "unsubscribed" });
  expect(await topic()).toEqual({ url: null });
  expect(await stage.asks("unsubscribe")).toBe(true);
});
