/** A webhook on real servers: proven by a code, signed, tried again under the same id, and disabled when it is gone. */
import { createHmac } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import type { Hook, Posted } from "./theatre/hook.ts";
import type { Person } from "./theatre/person.ts";
import { wellDone } from "./theatre/rest.ts";
import { openTheatre } from "./theatre/theatre.ts";

const theatre = openTheatre();
afterEach(() => theatre.clears());

/** The webhook of `person`, proven, and the only place where anything goes. */
async function webhookOf(person: Person, hook: Hook): Promise<{ id: string; secret: string }> {
  const added = wellDone(
    await person.rest.post("/v1/destinations", { channel: "webhook", address: hook.url }),
  );
  const told = await hook.hears(({ body }) => body.type === "message");
  const [code] = /\d{6}/.exec(told.body.data.title) ?? [];
  wellDone(await person.rest.post(`/v1/destinations/${added.id}/verify`, { code }));
  wellDone(await person.rest.ask("PUT", "/v1/rules", { ladders: { default: [{ to: "webhook" }] } }));
  return added;
}

const isOf = (title: string) => (posted: Posted) => posted.body.data.title === title;

test("a notification is posted, signed with the webhook's secret, again under its id after a 503", async () => {
  const [alice, hook, feed] = await Promise.all([
    theatre.user("alice"),
    theatre.hook(),
    theatre.feed("rooms"),
  ]);
  await alice.subscribes(feed);
  const { secret } = await webhookOf(alice, hook);
  hook.statuses = [503, 204];
  feed.publishes("A room");
  const { deliveries } = await alice.hasInHistory("A room", "handed");
  expect(deliveries).toContainEqual(expect.objectContaining({ channel: "webhook", state: "handed" }));
  const tries = hook.posted.filter(isOf("A room"));
  expect(tries.map(({ status }) => status)).toEqual([503, 204]);
  expect(new Set(tries.map(({ id }) => id)).size).toBe(1);
  const { id, headers, raw } = tries[1] as Posted;
  const key = Buffer.from(secret.replace("whsec_", ""), "base64");
  const signed = `${id}.${headers["webhook-timestamp"]}.${raw}`;
  expect(headers["webhook-signature"]).toBe(
    `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
  );
});

test("a webhook that is gone is disabled, and its user is told so in chat", async () => {
  const [alice, hook, feed] = await Promise.all([
    theatre.user("alice"),
    theatre.hook(),
    theatre.feed("rooms"),
  ]);
  await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  const { id } = await webhookOf(alice, hook);
  hook.statuses = [410];
  feed.publishes("A room");
  expect((await alice.hears("Nothing is sent to")).body).toContain("410");
  const { items } = wellDone(await alice.rest.get("/v1/destinations"));
  expect(items).toContainEqual(expect.objectContaining({ id, state: "disabled" }));
});
