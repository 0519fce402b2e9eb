import {
  type AvatarEvent,
  type DeliveryReport,
  type HistoryItemWithTrace,
  INBOX_LOCAL,
  type InboxView,
  itemId,
  mailSource,
  type Notification,
  type PublisherView,
  pushSource,
  sharedSource,
  shareToken,
} from "@tidings/protocol";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openUserStage, type UserStage } from "./user-stage.ts";

let stage: UserStage;

beforeEach(async () => {
  vi.useFakeTimers();
  stage = await openUserStage();
});
afterEach(() => void vi.useRealTimers());

/** A publisher whose source has answered. */
async function publisher(title = "db1", op: string | null = null): Promise<PublisherView> {
  const answer = stage.calls("addPublisher", { title }, op);
  for (const { to, event } of stage.alice.told)
    if (event.type === "publisherOpened")
      stage.alice.hears(to[0] ?? "", { type: "sourceChanged", state: "active", title, problem: null });
  return (await answer) as PublisherView;
}

function comes(source: string, title: string, more: Partial<Notification> = {}): string {
  const id = itemId(source, title);
  const rest = { link: null, summary: null, author: null, publishedAt: null, seq: 1, receivedAt: 0 };
  stage.alice.hears(source, { type: "notified", notification: { id, title, source, ...rest, ...more } });
  return id;
}

test("what a program publishes is not edited, and to ask for that is refused", async () => {
  const { id } = await publisher();
  await expect(stage.calls("changeSubscription", { id, edits: true })).rejects.toThrow("Only feeds");
  expect(await stage.calls("subscription", { id })).toMatchObject({ edits: false });
});

const OPTIONS = [
  { id: "restart", label: "Restart" },
  { id: "later", label: "Later", input: true as const },
];

const item = async (id: string) => (await stage.calls("historyItem", { id })) as HistoryItemWithTrace;
const answers = () =>
  stage.alice.told.flatMap(({ to, event }) => (event.type === "answered" ? [{ to, ...event.answer }] : []));

test("a publisher has a token that its source's name does not tell, and its owner hears of it", async () => {
  const { id, token, secret } = await publisher();
  expect(id).toBe(pushSource(token));
  expect(secret).toMatch(/^whsec_/);
  expect(await stage.calls("publishers")).toMatchObject({ items: [{ id, title: "db1", token }] });
  expect(await stage.calls("subscriptions")).toMatchObject({
    items: [{ id, title: "db1", state: "active" }],
  });
  const found = comes(id, "Disk full", { priority: "high" });
  expect(await item(found)).toMatchObject({ title: "Disk full", sourceTitle: "db1" });
});

test("a repeat with the same operation id makes no second one", async () => {
  const first = await publisher("db1", "operation-1");
  expect(await stage.calls("addPublisher", { title: "db1" }, "operation-1")).toEqual(first);
  expect(await stage.calls("publishers")).toMatchObject({ items: [{ id: first.id }] });
});

test("one that is removed is ended at its source; what was published before is still taken", async () => {
  const { id } = await publisher();
  await stage.calls("removePublisher", { id });
  expect(stage.alice.told).toEqual([{ to: [id], event: { type: "publisherEnded" } }]);
  expect(await stage.calls("publishers")).toEqual({ items: [] });
  expect(await item(comes(id, "Disk full"))).toMatchObject({ title: "Disk full" });
  await expect(stage.calls("removePublisher", { id })).rejects.toThrow("no such publisher");
});

test("when the user goes, what they publish with is ended", async () => {
  const { id } = await publisher();
  await stage.calls("erase");
  expect(stage.alice.told).toContainEqual({ to: [id], event: { type: "publisherEnded" } });
});

test("tokens are not in the export", async () => {
  const { token } = await publisher();
  expect(JSON.stringify(await stage.calls("exportAll", { cursor: null }))).not.toContain(token);
});

test("the priority that a source gives counts where the user has given none", async () => {
  const { id } = await publisher();
  const simulated = async (title: string) =>
    stage.calls("simulate", { historyId: itemId(id, title), presence: null, at: null, notification: null });
  comes(id, "Fire", { priority: "urgent" });
  expect(await simulated("Fire")).toMatchObject({ priority: "urgent" });
  await stage.calls("changeSubscription", { id, priority: "low" });
  expect(await simulated("Fire")).toMatchObject({ priority: "low" });
});

test("an answer goes to the source once, acknowledges, and its fate is in the trace", async () => {
  const { id: source } = await publisher();
  const id = comes(source, "db1 is down", { options: OPTIONS });
  const answered = (await stage.calls(
    "reply",
    { id, option: "restart", text: null },
    "operation-2",
  )) as HistoryItemWithTrace;
  expect(answers()).toMatchObject([{ to: [source], id: "operation-2", notification: id, option: "restart" }]);
  expect(answered).toMatchObject({ state: "acked", options: OPTIONS });
  expect(answered.trace.map(({ what }) => what)).toContain('answered "Restart" by the user');
  await expect(stage.calls("reply", { id, option: "later", text: null })).rejects.toThrow(
    "answered this already",
  );

  const settled = { type: "answerSettled", answer: "operation-2", notification: id } as const;
  stage.alice.hears(source, { ...settled, problem: null } satisfies AvatarEvent);
  expect((await item(id)).trace.at(-1)?.what).toBe("the source has your answer");
});

test("an answer that the source did not get is said, and can be given again", async () => {
  const { id: source } = await publisher();
  const id = comes(source, "db1 is down", { options: OPTIONS });
  await stage.calls("reply", { id, option: "restart", text: null }, "operation-3");
  const problem = "The server said 404.";
  stage.alice.hears(source, { type: "answerSettled", answer: "operation-3", notification: id, problem });
  expect((await item(id)).trace.at(-1)?.what).toContain(problem);
  await stage.calls("reply", { id, option: "later", text: "at six" });
  expect(answers()).toMatchObject([{ option: "later", text: "at six" }]);
});

test.each([
  ["an option that there is not", { option: "burn", text: null }, "1 (Restart), 2 (Later)"],
  ["words where none are taken", { option: "restart", text: "now" }, "takes no words"],
])("%s is refused with what there is, and nothing is told", async (_, args, sentence) => {
  const { id: source } = await publisher();
  const id = comes(source, "db1 is down", { options: OPTIONS });
  await expect(stage.calls("reply", { id, ...args })).rejects.toThrow(sentence);
  expect((await item(id)).state).not.toBe("acked");
});

test("what offers nothing, or is over, cannot be answered", async () => {
  const { id: source } = await publisher();
  const plain = comes(source, "Disk full");
  await expect(stage.calls("reply", { id: plain, option: "restart", text: null })).rejects.toThrow(
    "Nobody waits",
  );
  const late = comes(source, "Late", { options: OPTIONS, answerUntilAt: stage.alice.nowAt - 1 });
  await expect(stage.calls("reply", { id: late, option: "restart", text: null })).rejects.toThrow(
    "was over at",
  );
  await expect(stage.calls("reply", { id: "nothing", option: "a", text: null })).rejects.toThrow("no such");
});

test("an answer from where the notification went is one deed, however often it is reported", async () => {
  const { id: source } = await publisher();
  const id = comes(source, "db1 is down", { options: OPTIONS });
  const report: DeliveryReport = {
    kind: "delivery",
    user: "alice",
    notification: id,
    destination: "im",
    attempt: 1,
    state: "acted",
    condition: null,
    mayRetry: false,
    did: { id: "deed-1", deed: { name: "reply", said: "1" } },
    at: 0,
  };
  stage.alice.getsReport(report, 1);
  expect(answers()).toMatchObject([{ id: "deed-1", option: "restart" }]);
  stage.alice.getsReport(report, 1);
  expect(answers()).toEqual([]);
});

test("an inbox has an address that its source's name does not tell; mail is told, and the address can be ended", async () => {
  const answer = stage.calls("addInbox", { title: "Flats" });
  const [{ to, event } = { to: [""], event: null }] = stage.alice.told;
  expect(event).toMatchObject({ type: "publisherOpened", title: "Flats" });
  stage.alice.hears(to[0] ?? "", { type: "sourceChanged", state: "active", title: "Flats", problem: null });
  const { id, local } = (await answer) as InboxView;
  expect(local).toMatch(INBOX_LOCAL);
  expect(id).toBe(mailSource(local));
  expect(await item(comes(id, "Two rooms"))).toMatchObject({ sourceTitle: "Flats" });
  expect(JSON.stringify(await stage.calls("exportAll", { cursor: null }))).not.toContain(local);
  await stage.calls("removeInbox", { id });
  expect(stage.alice.told).toEqual([{ to: [id], event: { type: "publisherEnded" } }]);
  expect(JSON.stringify(await stage.calls("inboxes"))).not.toContain(local);
});

test("everybody has an address for mail from the start; the subscription to it is listed once something has come", async () => {
  const { inbox } = (await stage.calls("profile")) as { inbox: string };
  expect(inbox).toMatch(INBOX_LOCAL);
  expect(stage.signedUp.inbox).toBe(inbox);
  const { items } = (await stage.calls("inboxes")) as { items: InboxView[] };
  expect(items).toMatchObject([{ local: inbox, title: "Mail" }]);
  expect(await stage.calls("subscriptions")).toEqual({ items: [] });
  const id = mailSource(inbox);
  expect(await item(comes(id, "Two rooms"))).toMatchObject({ sourceTitle: "Mail" });
  expect(await stage.calls("subscriptions")).toMatchObject({ items: [{ id, title: "Mail" }] });
  await stage.calls("removeInbox", { id });
  expect(await stage.calls("profile")).toMatchObject({ inbox: null });
});

test("there are at most fifty of a kind", async () => {
  for (let count = 0; count < 50; count++) await publisher(`p${count}`);
  await expect(stage.calls("addPublisher", { title: "one more" })).rejects.toThrow("which is the limit");
});

test("a publisher is shared by a token that stays the same until it is taken back", async () => {
  const { id } = await publisher();
  const { share } = (await stage.calls("sharePublisher", { id })) as { share: string };
  expect(sharedSource(share)).toBe(id);
  expect(stage.alice.told).toEqual([{ to: [id], event: { type: "publisherShared", share } }]);
  expect(await stage.calls("sharePublisher", { id })).toMatchObject({ share });
  expect(stage.alice.told).toEqual([]);
  expect(await stage.calls("unsharePublisher", { id })).not.toHaveProperty("share");
  expect(stage.alice.told).toEqual([{ to: [id], event: { type: "publisherShared", share: null } }]);
  await expect(stage.calls("sharePublisher", { id: "push.other" })).rejects.toThrow("no such publisher");
});

test("who subscribes with such a token asks its source, and the token is shown to nobody", async () => {
  const source = `push.${"0".repeat(32)}`;
  const share = shareToken(source, "a".repeat(32));
  const args = { url: share, title: null, priority: null, atOnce: true };
  expect(await stage.calls("subscribe", args)).toMatchObject({ subscription: { id: source } });
  expect(stage.alice.told).toEqual([{ to: [source], event: { type: "subscribed", url: share } }]);
  expect(JSON.stringify(await stage.calls("subscriptions"))).not.toContain(share);
});
