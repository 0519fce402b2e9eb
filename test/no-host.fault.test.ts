/** No avatar host at all: what comes waits for one, and the monitor is told that one is wanted. */
import { join } from "node:path";
import { afterEach, expect, inject, test } from "vitest";
import { RawComponent } from "./raw-component.ts";
import { openTheatre } from "./theatre/theatre.ts";

/** The monitor first, which would start the others again: this play hears in its place. */
const HOSTS = ["monitor", "avatar-host-h1", "avatar-host-h2"];
const NEWS = Array.from({ length: 20 }, (_, at) => `Room number ${at + 1}.`);
const BACK_MS = 30_000;

const theatre = openTheatre();
afterEach(() => theatre.clears());

test("while no host runs stanzas wait and the monitor is woken; hosts that are started bring everything, in order", {
  timeout: 120_000,
}, async () => {
  const [alice, feed] = await Promise.all([theatre.user("alice"), theatre.feed("rooms")]);
  await Promise.all([alice.subscribes(feed), alice.comesOnline()]);
  const domain = `monitor.avatars.${theatre.domain}`;
  const password = join(inject("home"), "secrets", domain);
  const monitor = await RawComponent.connect(inject("busUrls").avatars, domain, password);
  await theatre.isWithoutProcesses(HOSTS, async () => {
    for (const text of NEWS) feed.publishes(text);
    // The agent tells her avatar of it, which nobody hosts.
    await alice.client.goesOffline();
    await monitor.hears((stanza) => Number(stanza.getChild("wake")?.attrs.spooled) > 0);
    await alice.client.comesOnline();
    expect((await alice.rest.get("/v1/me")).status).toBe(503);
  });
  await monitor.cut();
  await alice.hears(NEWS.at(-1) as string, { withinMs: BACK_MS });
  expect(alice.client.heard.map(({ body }) => body.split("\n")[0])).toEqual(NEWS);
});
