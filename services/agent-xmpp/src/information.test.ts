import { createHash } from "node:crypto";
import { xml } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { caps } from "./features.ts";
import { informationAnswer } from "./information.ts";
import { ALICE, ALICES_AGENT, AT, eventually, type Stage, setStage } from "./stage.ts";

const ask = (name: string, xmlns: string, attrs = {}, to = ALICES_AGENT) =>
  xml("iq", { type: "get", from: `${ALICE}/phone`, to, id: "q", ...attrs }, xml(name, { xmlns }));

let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

test("for a user the agent is a bot, and its domain a gateway", () => {
  const bot = informationAnswer(ask("query", "http://jabber.org/protocol/disco#info"), 0)?.getChild("query");
  expect(bot?.getChild("identity")?.attrs).toMatchObject({ category: "client", type: "bot" });
  const domain = informationAnswer(
    ask("query", "http://jabber.org/protocol/disco#info", {}, AT.im),
    0,
  )?.getChild("query");
  expect(domain?.getChild("identity")?.attrs).toMatchObject({ category: "gateway" });
});

test.each([
  ["vCard", "vcard-temp", "FN"],
  ["query", "jabber:iq:version", "version"],
  ["time", "urn:xmpp:time", "utc"],
])("it answers <%s xmlns=%j>", (name, xmlns, child) => {
  const answer = informationAnswer(ask(name, xmlns), 0);
  expect(answer?.attrs).toMatchObject({ type: "result", to: `${ALICE}/phone`, from: ALICES_AGENT, id: "q" });
  expect(answer?.getChild(name, xmlns)?.getChildText(child)).toBeTruthy();
});

test("what it does not know is service-unavailable, also a change to what it knows", () => {
  for (const iq of [ask("query", "urn:other"), ask("vCard", "vcard-temp", { type: "set" })]) {
    expect(informationAnswer(iq, 0)?.getChild("error")?.getChild("service-unavailable")).toBeDefined();
  }
});

test("a ping to a user's agent is answered, one to nobody's is item-not-found", async () => {
  await expect(stage.world.request(ask("ping", "urn:xmpp:ping"))).resolves.toBeDefined();
  const nobody = ask("ping", "urn:xmpp:ping", { id: "n" }, `nobody@${AT.im}`);
  await expect(stage.world.request(nobody)).rejects.toMatchObject({ condition: "item-not-found" });
  await eventually(() => expect(stage.calls.length).toBeGreaterThan(0));
});

test("a client is told which reactions it may offer, and its short name for all of this changes with them", () => {
  const bot = informationAnswer(ask("query", "http://jabber.org/protocol/disco#info"), 0)?.getChild("query");
  const form = bot?.getChild("x", "jabber:x:data");
  const values = Object.fromEntries(
    (form?.getChildren("field") ?? []).map((field) => [
      field.attrs.var,
      field.getChildren("value").map((value) => value.getText()),
    ]),
  );
  expect(values).toEqual({
    FORM_TYPE: ["urn:xmpp:reactions:0:restrictions"],
    allowlist: ["✅", "👍", "💤", "🔕"],
    max_reactions_per_user: ["1"],
  });
  const features = (bot?.getChildren("feature") ?? []).map(({ attrs }) => attrs.var);
  // XEP-0115 §5.4: what a client computes from the answer must be what presence said.
  const text = [
    "client/bot//Tidings",
    ...features.toSorted(),
    "urn:xmpp:reactions:0:restrictions",
    ...["allowlist", ...(values.allowlist ?? []).toSorted(byOctets), "max_reactions_per_user", "1"],
  ];
  const expected = createHash("sha1")
    .update(text.map((part) => `${part}<`).join(""))
    .digest("base64");
  expect(caps().attrs.ver).toBe(expected);
});

const byOctets = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
