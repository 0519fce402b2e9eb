import { CallError, type Element, xml } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ALICE, ALICES_AGENT, dispatch, eventually, type Stage, setStage } from "./stage.ts";

const COMMANDS = "http://jabber.org/protocol/commands";
const PHONE = `${ALICE}/phone`;
const STRANGER = "mallory@elsewhere.test/x";
let stage: Stage;
let count = 0;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

const named = (name: string) => stage.calls.filter((call) => call.name === name);

function asks(type: "get" | "set", child: Element, from = PHONE): Promise<Element> {
  const server = from === PHONE ? stage.world : stage.elsewhere;
  return server.request(xml("iq", { type, from, to: ALICES_AGENT, id: `q${++count}` }, child));
}

async function runs(node: string, value?: string, attrs = {}, from = PHONE): Promise<Element | undefined> {
  const form =
    value === undefined
      ? []
      : [
          xml(
            "x",
            { xmlns: "jabber:x:data", type: "submit" },
            xml("field", { var: "value" }, xml("value", {}, value)),
          ),
        ];
  const answer = await asks("set", xml("command", { xmlns: COMMANDS, node, ...attrs }, ...form), from);
  return answer.getChild("command", COMMANDS);
}

const items = async (from = PHONE) => {
  const query = xml("query", { xmlns: "http://jabber.org/protocol/disco#items", node: COMMANDS });
  const answer = await asks("get", query, from);
  return (answer.getChild("query")?.getChildren("item") ?? []).map(({ attrs }) => attrs.node);
};
const info = (node: string, from = PHONE) =>
  asks("get", xml("query", { xmlns: "http://jabber.org/protocol/disco#info", node }), from);

test("the user's own address sees what the chat understands as a menu, a stranger sees nothing", async () => {
  expect(await items()).toEqual("list add remove pause resume ack snooze more why help".split(" "));
  expect(await items(STRANGER)).toEqual([]);
  const identity = (await info("pause")).getChild("query")?.getChild("identity");
  expect(identity?.attrs).toMatchObject({ category: "automation", type: "command-node" });
});

test("a command is forbidden for a stranger, with a sentence, and one that there is not is not found", async () => {
  for (const refused of [runs("list", undefined, {}, STRANGER), info("list", STRANGER)])
    await expect(refused).rejects.toMatchObject({
      condition: "forbidden",
      message: expect.stringContaining("code"),
    });
  await expect(runs("reboot")).rejects.toMatchObject({ condition: "item-not-found" });
  expect(named("subscriptions")).toEqual([]);
});

test("a command without a field is done at once", async () => {
  stage.answers.answerMessage = () => ({ count: 1, title: "Two rooms", sourceTitle: "Rooms", zone: "UTC" });
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  const done = await runs("ack");
  expect(done?.attrs).toMatchObject({ node: "ack", status: "completed" });
  expect(done?.getChildText("note")).toBe("Acknowledged: Two rooms");
  expect(named("answerMessage")[0]).toMatchObject({
    args: { message: dispatch().notification.id, deed: { name: "ack" } },
    authority: { jid: ALICE },
  });
});

test("one with a field asks for it in one stage, says what is wrong with it, and does it", async () => {
  stage.answers.pause = () => ({
    name: "alice",
    jid: ALICE,
    agent: ALICES_AGENT,
    createdAt: 1,
    pausedUntilAt: 2,
    presence: [],
    limits: { subscriptions: 1, destinations: 1 },
    zone: "UTC",
    inbox: null,
  });
  const form = await runs("pause");
  expect(form?.attrs).toMatchObject({ status: "executing", sessionid: expect.any(String) });
  expect(form?.getChild("x", "jabber:x:data")?.getChild("field")?.getChildText("value")).toBe("2h");
  expect(form?.getChild("actions")?.getChild("complete")).toBeDefined();

  const session = { sessionid: form?.attrs.sessionid, action: "complete" };
  const wrong = await runs("pause", "for ever", session);
  expect(wrong?.attrs.status).toBe("executing");
  expect(wrong?.getChild("note")?.attrs.type).toBe("error");
  const done = await runs("pause", "1d", session);
  expect(done?.attrs).toMatchObject({ status: "completed", sessionid: form?.attrs.sessionid });
  expect(done?.getChildText("note")).toContain("Paused until");
  expect(named("pause")).toHaveLength(1);
});

test("cancelled is cancelled, and what the avatar refuses is said as an error", async () => {
  expect((await runs("pause", undefined, { action: "cancel" }))?.attrs.status).toBe("canceled");
  stage.answers.messageSent = () => {
    throw new CallError("cancel", "item-not-found", "Nothing has come here yet.");
  };
  const note = (await runs("why"))?.getChild("note");
  expect([note?.attrs.type, note?.getText()]).toEqual(["error", "Nothing has come here yet."]);
});

test("who asks too much is told to wait", async () => {
  for (let i = 0; i < 20; i++) await runs("help");
  await expect(runs("help")).rejects.toMatchObject({ type: "wait" });
});
