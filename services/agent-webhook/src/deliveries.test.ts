import { createHmac } from "node:crypto";
import type { PostOutcome } from "@tidings/outbound";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dispatch, eventually, HOOK, SECRET, type Stage, setStage } from "./stage.ts";

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

const again: PostOutcome = { kind: "again", sentence: "hooks.example answered 503.", retryAfterMs: null };

test("a notification is posted once, signed, under its own id, and is handed", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  const [{ url, headers, body } = { url: "", headers: {}, body: "" }] = stage.servers.posted;
  const { id } = dispatch().notification;
  expect([url, headers["webhook-id"]]).toEqual([HOOK, id]);
  const signed = `${id}.${headers["webhook-timestamp"]}.${body}`;
  const key = Buffer.from(SECRET.replace("whsec_", ""), "base64");
  expect(headers["webhook-signature"]).toBe(
    `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
  );
  expect(JSON.parse(body)).toMatchObject({
    type: "notification",
    data: { id, title: "Two rooms, quiet street" },
  });
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(stage.servers.posted).toHaveLength(1);
});

test("a server that is away has it later, under the same id, and not before it wants to be asked", async () => {
  stage.servers.outcomes = [again, { ...again, retryAfterMs: 90_000 }, { kind: "taken" }];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  expect(new Set(stage.servers.posted.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  expect(stage.servers.posted).toHaveLength(3);
  expect(stage.waitedMs.at(-1)).toBe(90_000);
});

test("a server that stays away is refused for now", async () => {
  stage.servers.outcomes = [again];
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.lastDelivery()).toMatchObject({ state: "refused", mayRetry: true }));
});

test.each([
  [410, "gone"],
  [null, "gone"],
  [404, "not-acceptable"],
])("a refusal with %j is %s, and for good", async (status, condition) => {
  stage.servers.outcomes = [{ kind: "refused", status, sentence: "No." }];
  await stage.dispatches(dispatch());
  await eventually(() =>
    expect(stage.lastDelivery()).toMatchObject({ state: "refused", condition, mayRetry: false, text: "No." }),
  );
});

test("what the last life may have posted is posted again under the same id", async () => {
  stage.servers.outcomes = [{ kind: "taken" }];
  const posting = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<PostOutcome>();
  const { post } = stage.servers;
  stage.servers.post = async (request) => {
    void post(request);
    posting.resolve();
    return answer.promise;
  };
  await stage.dispatches(dispatch());
  await posting.promise;
  stage.servers.post = post;
  await stage.beginsAnew();
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toContain("handed"));
  expect(stage.servers.posted).toHaveLength(2);
  expect(new Set(stage.servers.posted.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  answer.resolve({ kind: "taken" });
});
