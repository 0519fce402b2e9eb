import { asksStanza, CallError, dispatchesStanza, errorElement, shardOf, xml } from "@tidings/protocol";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ALICE, ALICES_AGENT, AT, D, dispatch, eventually, type Stage, setStage, settled } from "./stage.ts";

const ID = dispatch().notification.id;
let stage: Stage;
beforeEach(async () => {
  stage = await setStage();
});
afterEach(() => stage.strike());

const messages = () => stage.heard.filter(({ name, attrs }) => name === "message" && attrs.id === ID);
const receipt = (from: string, id = ID) =>
  xml("message", { from, to: ALICES_AGENT }, xml("received", { xmlns: "urn:xmpp:receipts", id }));
const bounce = (from: string, type: CallError["type"], condition: string) =>
  xml(
    "message",
    { from, to: ALICES_AGENT, type: "error", id: ID },
    errorElement(new CallError(type, condition, "no")),
  );

test("a delivery is handed only after the server's answer", async () => {
  stage.answersPings = false;
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.heard.some(({ name }) => name === "iq")).toBe(true));
  expect(stage.textsTo(ALICE)).toEqual(["Two rooms, quiet street\nRooms\nhttps://example.org/1"]);
  await settled(stage);
  expect(stage.states()).toEqual([]);

  const ping = stage.heard.find(({ name }) => name === "iq");
  await stage.sends(xml("iq", { type: "result", from: D, to: AT.im, id: ping?.attrs.id }));
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
});

test("a server that does not know pings has proved by its error that it takes what is sent", async () => {
  stage.answersPings = false;
  stage.world.onStanza((iq) => {
    if (iq.name !== "iq") return;
    const { from, to, id } = iq.attrs;
    const error = errorElement(new CallError("cancel", "service-unavailable", "?"));
    void stage.world.send(xml("iq", { type: "error", from: to, to: from, id }, error));
  });
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
});

test("while one is unproven what comes for its address waits, and when that is to be tried again so is this, unsent", async () => {
  const second = dispatch({
    notification: { ...dispatch().notification, id: "b".repeat(32), title: "Second" },
  });
  stage.answersPings = false;
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.heard.some(({ name }) => name === "iq")).toBe(true));
  await stage.dispatches(second);
  await settled(stage);
  expect(stage.textsTo(ALICE)).toHaveLength(1);

  await stage.sends(bounce(ALICE, "wait", "remote-server-timeout"));
  await eventually(() => expect(stage.states()).toEqual(["refused", "refused"]));
  expect(stage.textsTo(ALICE)).toHaveLength(1);
});

test("when it is proven, what waited goes, and is proven in its turn", async () => {
  const second = dispatch({
    notification: { ...dispatch().notification, id: "b".repeat(32), title: "Second" },
  });
  stage.answersPings = false;
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.heard.some(({ name }) => name === "iq")).toBe(true));
  await stage.dispatches(second);
  stage.answersPings = true;
  const ping = stage.heard.find(({ name }) => name === "iq");
  await stage.sends(xml("iq", { type: "result", from: D, to: AT.im, id: ping?.attrs.id }));
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(stage.textsTo(ALICE).map((text) => text.split("\n")[0])).toEqual([
    "Two rooms, quiet street",
    "Second",
  ]);
});

/** The server has taken one delivery, and is another one afterwards. */
async function serverIsStartedAgain(): Promise<void> {
  stage.runsForSeconds = 1_000;
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  stage.runsForSeconds = 0;
}

test("what went to a server that was started again just then may be lost, and is to be tried again", async () => {
  await serverIsStartedAgain();
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["handed", "refused"]));
  expect(stage.lastDelivery()).toMatchObject({ condition: "remote-server-timeout", mayRetry: true });
});

test("a client that shows itself at a server that was started again is asked for anew, as its last one may be gone", async () => {
  await serverIsStartedAgain();
  await stage.sends(xml("presence", { from: `${ALICE}/laptop`, to: ALICES_AGENT }));
  await eventually(() => expect(stage.presences().map(({ show }) => show)).toEqual(["available", "offline"]));
  const isProbed = () =>
    expect(stage.heard.some(({ name, attrs }) => name === "presence" && attrs.type === "probe")).toBe(true);
  await eventually(isProbed);
});

test("a client that shows itself at a server that runs on is just there", async () => {
  await serverIsStartedAgain();
  stage.runsForSeconds = 1_000;
  await stage.sends(xml("presence", { from: `${ALICE}/laptop`, to: ALICES_AGENT }));
  await eventually(() => expect(stage.presences().map(({ show }) => show)).toEqual(["available"]));
  await eventually(() => expect(stage.heard.filter(({ name }) => name === "iq").length).toBe(2));
  await settled(stage);
  expect(stage.presences()).toHaveLength(1);
});

test("a delivery to a server that is not there is refused and may be tried again", async () => {
  await stage.dispatches(dispatch({ address: "alice@nowhere.test" }));
  await eventually(() => expect(stage.states()).toEqual(["refused"]));
  expect(stage.lastDelivery()).toMatchObject({ condition: "remote-server-not-found", mayRetry: true });
});

test("a repeated dispatch is not sent twice, and its last state is reported again", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(messages()).toHaveLength(1);
});

test("a dispatch with a higher attempt is sent again with the same id", async () => {
  await stage.dispatches(dispatch());
  await stage.dispatches(dispatch({ attempt: 2 }));
  await eventually(() => expect(messages()).toHaveLength(2));
});

test("a receipt makes it received, a marker displayed, and nothing goes back", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.sends(receipt(`${ALICE}/phone`));
  await stage.sends(
    xml(
      "message",
      { from: `${ALICE}/phone`, to: ALICES_AGENT },
      xml("displayed", { xmlns: "urn:xmpp:chat-markers:0", id: ID }),
    ),
  );
  await stage.sends(receipt(`${ALICE}/desk`));
  await eventually(() => expect(stage.states()).toEqual(["handed", "received", "displayed"]));
  await settled(stage);
  expect(stage.states()).toHaveLength(3);
});

test("a receipt from another address is not believed", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.sends(receipt(`mallory@elsewhere.test/x`));
  await stage.sends(receipt(`mallory@${D}/x`));
  await settled(stage);
  expect(stage.states()).toEqual(["handed"]);
});

test("a receipt wrapped in a carbon is not believed", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  const carbon = xml("received", { xmlns: "urn:xmpp:carbons:2", id: ID }, receipt(`${ALICE}/phone`));
  await stage.sends(xml("message", { from: `${ALICE}/phone`, to: ALICES_AGENT }, carbon));
  await settled(stage);
  expect(stage.states()).toEqual(["handed"]);
});

test("a bounce refuses what was not proven yet, with the server's reason", async () => {
  stage.answersPings = false;
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.heard.some(({ name }) => name === "iq")).toBe(true));
  await stage.sends(bounce(ALICE, "cancel", "item-not-found"));
  await eventually(() => expect(stage.states()).toEqual(["refused"]));
  expect(stage.lastDelivery()).toMatchObject({ condition: "item-not-found", mayRetry: false });

  const ping = stage.heard.find(({ name }) => name === "iq");
  await stage.sends(xml("iq", { type: "result", from: D, to: AT.im, id: ping?.attrs.id }));
  await settled(stage);
  expect(stage.states()).toEqual(["refused"]);
});

test("a message that finds its user just gone may be tried again", async () => {
  await stage.dispatches(dispatch());
  await stage.sends(bounce(ALICE, "cancel", "service-unavailable"));
  await eventually(() => expect(stage.lastDelivery()).toMatchObject({ state: "refused", mayRetry: true }));
});

test("a bounce from somebody else refuses nothing", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.sends(bounce("mallory@elsewhere.test", "cancel", "service-unavailable"));
  await settled(stage);
  expect(stage.states()).toEqual(["handed"]);
});

test("orders count only from a shard, and only for its own users", async () => {
  const wrongShard = (shardOf("alice") + 1) % 64;
  await stage.silo.send(
    dispatchesStanza({ siloDomain: AT.silo, shard: wrongShard, epoch: 1 }, AT.im, [dispatch()]),
  );
  const forged = dispatchesStanza(
    { siloDomain: "elsewhere.test", shard: shardOf("alice"), epoch: 1 },
    AT.im,
    [dispatch()],
  );
  await stage.elsewhere.send(forged);
  await stage.elsewhere.send(
    asksStanza({ siloDomain: "elsewhere.test", shard: shardOf("alice"), epoch: 1 }, AT.im, [
      { user: "alice", addresses: [ALICE] },
    ]),
  );
  await settled(stage);
  expect(stage.heard.filter(({ name, attrs }) => name !== "iq" && attrs.to === ALICE)).toEqual([]);
});

test("one ping serves all deliveries that went before it", async () => {
  const many = Array.from({ length: 50 }, (_, i) =>
    dispatch({ notification: { ...dispatch().notification, id: i.toString(16).padStart(32, "0") } }),
  );
  await stage.dispatches(...many);
  await eventually(() => expect(stage.states()).toHaveLength(50));
  expect(stage.heard.filter(({ name }) => name === "iq")).toHaveLength(1);
});

test("a bounce whose condition is an invention of any length is reported in a size that the shard takes", async () => {
  await stage.dispatches(dispatch());
  await stage.sends(bounce(ALICE, "cancel", "x".repeat(5_000)));
  await eventually(() =>
    expect(stage.lastDelivery()).toMatchObject({ state: "refused", condition: "undefined-condition" }),
  );
});

test("a bounce or a receipt without an id, or for what was sent to somebody else, changes nothing", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  const error = errorElement(new CallError("cancel", "item-not-found", "no"));
  await stage.sends(xml("message", { from: ALICE, to: ALICES_AGENT, type: "error" }, error));
  await stage.sends(xml("message", { from: ALICE, type: "error", id: ID }, error));
  await stage.sends(receipt(`${ALICE}/phone`, "never-sent"));
  await stage.sends(receipt(`${ALICE}/phone`, ""));
  const elses = xml(
    "message",
    { from: ALICE, to: `bob@${AT.im}` },
    xml("received", { xmlns: "urn:xmpp:receipts", id: ID }),
  );
  await stage.sends(elses);
  await settled(stage);
  expect(stage.states()).toEqual(["handed"]);
});

test("a shard that does not know of this life of the agent yet has its dispatches left, and repeats them", async () => {
  stage.acknowledges = false;
  stage.bus.goOffline();
  stage.bus.goOnline();
  await stage.dispatches(dispatch());
  await settled(stage);
  expect(messages()).toEqual([]);
  stage.acknowledges = true;
  await stage.beginsAnew();
  await stage.dispatches(dispatch());
  await eventually(() => expect(messages()).toHaveLength(1));
});

test("what was sent is not sent again after the agent has lost its connection and found it again", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.beginsAnew();
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  expect(messages()).toHaveLength(1);
});

test("what the user wants again has an id of its own, and a receipt counts for the message that it names", async () => {
  await stage.dispatches(dispatch());
  await eventually(() => expect(stage.states()).toEqual(["handed"]));
  await stage.dispatches(dispatch({ attempt: 2, wantedFrom: 2 }));
  await eventually(() => expect(stage.states()).toEqual(["handed", "handed"]));
  const again = stage.heard.find(({ attrs }) => attrs.id === `${ID}.2`);
  expect(again?.getChild("origin-id", "urn:xmpp:sid:0")?.attrs.id).toBe(`${ID}.2`);
  await stage.sends(receipt(`${ALICE}/phone`));
  await eventually(() => expect(stage.lastDelivery()).toMatchObject({ state: "received", attempt: 1 }));
  await stage.sends(receipt(`${ALICE}/phone`, `${ID}.2`));
  await eventually(() =>
    expect(stage.lastDelivery()).toMatchObject({ state: "received", attempt: 2, notification: ID }),
  );
});

test("a marker speaks of what was confirmed before the message that it names, too", async () => {
  const ids = ["1", "2", "3", "4"].map((digit) => digit.repeat(32));
  await stage.dispatches(...ids.map((id) => dispatch({ notification: { ...dispatch().notification, id } })));
  await eventually(() => expect(stage.states()).toHaveLength(4));
  for (const id of [ids[0], ids[2], ids[3]]) await stage.sends(receipt(`${ALICE}/phone`, id));
  const displayed = xml("displayed", { xmlns: "urn:xmpp:chat-markers:0", id: ids[2] });
  await stage.sends(xml("message", { from: `${ALICE}/phone`, to: ALICES_AGENT }, displayed));
  const last = () =>
    ids.map((id) => {
      const said = stage.reports.findLast(
        (report) => report.kind === "delivery" && report.notification === id,
      );
      return said?.kind === "delivery" ? said.state : null;
    });
  await eventually(() => expect(last()).toEqual(["displayed", "handed", "displayed", "received"]));
});
