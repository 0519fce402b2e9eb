/** Acting from chat on real servers: what is done there, or elsewhere, is known everywhere. */
import { xml } from "@tidings/protocol";
import { eventually } from "@tidings/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Channels } from "../theatre/channels.ts";
import type { Feed } from "../theatre/feed.ts";
import type { Person } from "../theatre/person.ts";
import { wellDone } from "../theatre/rest.ts";

const NUMBER = "+12025550111";

/** Acting from chat. */
export function playChatActs(channelsOf: () => Channels): void {
  describe("acting from chat", () => {
    let channels: Channels;
    let alice: Person;
    let feed: Feed;

    /** Alice has a phone beside her account, and follows a feed whose items are urgent. Her client confirms nothing. */
    beforeAll(async () => {
      channels = channelsOf();
      alice = await channels.signsUp("ruth");
      await channels.adds(alice, "sms", NUMBER);
      feed = await channels.feedOf(alice, 5);
      alice.client.confirmsNothing();
      await alice.comesOnline();
    });
    afterAll(async () => {
      await alice?.client.goesOffline();
    });

    const stateAt = (item: { deliveries: { channel: string; state: string }[] }, channel: string) =>
      item.deliveries.find((delivery) => delivery.channel === channel)?.state;

    test("a reaction acknowledges: what waits for the phone is left out, and the history says acked", async () => {
      feed.publishes("The house is on fire");
      const { id } = await alice.hears("The house is on fire");
      const waiting = await alice.hasInHistory("The house is on fire", "handed");
      expect(stateAt(waiting, "sms")).toBe("held");
      await alice.client.reacts(alice.agent, id, "✅");
      const item = await alice.hasInHistory("The house is on fire", "acked");
      expect([stateAt(item, "im"), stateAt(item, "sms")]).toEqual(["acted", "skipped"]);
      expect(channels.textsTo(NUMBER).join()).not.toContain("on fire");
    });

    test("what chat snoozes comes again as another message, and a word acknowledges it", async () => {
      feed.publishes("The cellar is wet");
      const first = await alice.hears("The cellar is wet");
      expect(await alice.asks("snooze 1h")).toContain("Comes again at");
      const { id } = await alice.hasInHistory("The cellar is wet", "snoozed");
      wellDone(await alice.rest.post(`/v1/history/${id}/redeliver`, {}));
      await eventually(() => expect(alice.client.timesHeard("The cellar is wet")).toBeGreaterThanOrEqual(3));
      const deliveries = alice.client.heard.filter(
        ({ isDelivery, body }) => isDelivery && body.includes("cellar"),
      );
      // Put off, it was on its second try; asked for again it is on its third.
      expect(deliveries.map((heard) => heard.id)).toEqual([first.id, `${first.id}.3`]);
      expect(await alice.asks("why")).toContain("asked for again by the user");
      expect(await alice.asks("ack")).toBe("Acknowledged: The cellar is wet");
      await alice.hasInHistory("The cellar is wet", "acked");
    });

    test("what is acknowledged by a text message is corrected in chat", async () => {
      const ladder = [{ to: "im" }, { unless: "acked", within: "PT10S" }, { to: "sms" }];
      wellDone(await alice.rest.ask("PUT", "/v1/rules", { ladders: { urgent: ladder } }));
      feed.publishes("The door is open");
      const { id } = await alice.hears("The door is open");
      await eventually(() => expect(channels.textsTo(NUMBER).join()).toContain("The door is open"), {
        withinMs: 30_000,
      });
      await channels.provider.hears(channels.callbacks, NUMBER, "ack");
      await alice.hasInHistory("The door is open", "acked");
      const correction = await alice.hears("✓ acknowledged by SMS: The door is open");
      expect(correction).toMatchObject({ corrects: id });
    });

    test("the menu of a client does what the words do", async () => {
      const commands = "http://jabber.org/protocol/commands";
      const query = xml("query", { xmlns: "http://jabber.org/protocol/disco#items", node: commands });
      const listed = await alice.client.request(xml("iq", { type: "get", to: alice.agent }, query));
      expect(
        listed
          .getChild("query")
          ?.getChildren("item")
          .map(({ attrs }) => attrs.node),
      ).toContain("list");
      const list = xml("command", { xmlns: commands, node: "list", action: "execute" });
      const done = await alice.client.request(xml("iq", { type: "set", to: alice.agent }, list));
      expect(done.getChild("command", commands)?.getChildText("note")).toContain("1. ");
    });
  });
}
