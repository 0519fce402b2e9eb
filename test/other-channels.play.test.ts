/** Text messages and mail on real servers: an installation with both agents, whose provider and relay are the play's own. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@tidings/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Stack, startStack } from "../run/stack.ts";
import { setRelay } from "../services/agent-email/src/relay-stage.ts";
import { ACCOUNT_SID, AUTH_TOKEN, FROM, setProvider } from "../services/agent-sms/src/provider-stage.ts";
import { Feed } from "./theatre/feed.ts";
import { Person } from "./theatre/person.ts";
import { wellDone } from "./theatre/rest.ts";

const NUMBER = "+12025550100";
const MAILBOX = "alice@example.org";

let home = "";
let stack: Stack;
let provider: Awaited<ReturnType<typeof setProvider>>;
let relay: Awaited<ReturnType<typeof setRelay>>;
let callbacks = "";
const feeds: Feed[] = [];

beforeAll(async () => {
  [home, provider, relay] = await Promise.all([
    mkdtemp(join(tmpdir(), "tidings-channels-")),
    setProvider(),
    setRelay(),
  ]);
  const port = await freePort();
  callbacks = `http://127.0.0.1:${port}`;
  stack = await startStack({
    home,
    hosts: 1,
    domain: "channels.localhost",
    webPort: "free",
    xmppPort: "free",
    pollMinSeconds: 1,
    fetchAllow: "127.0.0.0/8,::1/128",
    sms: {
      TWILIO_ACCOUNT_SID: ACCOUNT_SID,
      TWILIO_AUTH_TOKEN: AUTH_TOKEN,
      TWILIO_FROM: FROM,
      TWILIO_API_BASE: provider.base,
      TIDINGS_SMS_COUNTRIES: "US",
      TIDINGS_SMS_CALLBACK_URL: callbacks,
      TIDINGS_SMS_CALLBACK_PORT: String(port),
    },
    mail: {
      TIDINGS_SMTP_RELAY: relay.url,
      TIDINGS_MAIL_DOMAIN: "in.channels.localhost",
      TIDINGS_MAIL_FROM: "notifications@channels.localhost",
      TIDINGS_MAIL_PUBLIC_URL: "",
    },
  });
});

afterAll(async () => {
  await stack?.stop();
  await Promise.all([...feeds.map((feed) => feed.close()), provider.stop(), relay.stop()]);
  await rm(home, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Signs somebody up who has proven `address` by the code that `codeIn` finds in what has come there. */
async function withAddress(
  name: string,
  channel: "sms" | "email",
  address: string,
  codeIn: () => string | undefined,
): Promise<Person> {
  const { webUrl, domain, ejabberd } = stack;
  const person = await Person.signsUp(name, { webUrl, domain, clientUrl: ejabberd.clientUrl });
  const added = wellDone(await person.rest.post("/v1/destinations", { channel, address }));
  expect(added).toMatchObject({ state: "unverified", code: null, problem: null });
  const code = await eventually(() => {
    const found = codeIn();
    if (found === undefined) throw new Error("no code has come");
    return found;
  });
  const verified = await person.rest.post(`/v1/destinations/${added.id}/verify`, { code });
  expect(wellDone(verified)).toMatchObject({ state: "verified" });
  return person;
}

async function feedOf(person: Person, priority: number): Promise<Feed> {
  const feed = await Feed.open(`feed of ${person.name}`);
  feeds.push(feed);
  const id = await person.subscribes(feed);
  wellDone(await person.rest.ask("PATCH", `/v1/subscriptions/${id}`, { priority }));
  return feed;
}

const digits = (text: string | undefined) => /\b\d{6}\b/.exec(text ?? "")?.[0];

test("an urgent item goes to the phone of somebody who is away, the phone confirms, and its answer acknowledges it", async () => {
  const alice = await withAddress("alice", "sms", NUMBER, () => digits(provider.texts().at(-1)));
  const feed = await feedOf(alice, 5);
  feed.publishes("The house is on fire");
  const message = await eventually(() => {
    const found = provider.messages.find(({ body }) => body.includes("on fire"));
    if (found === undefined) throw new Error("no text message has come");
    return found;
  });
  expect(message.to).toBe(NUMBER);
  await alice.hasInHistory("The house is on fire", "handed");
  await provider.tells(message, "delivered");
  await alice.hasInHistory("The house is on fire", "received");
  await provider.hears(callbacks, NUMBER, "ack");
  await alice.hasInHistory("The house is on fire", "acked");
});

test("a mailbox is proven by its code and gets what the rules send there; one that does not exist says so and is used no more", async () => {
  const last = () => relay.taken.at(-1)?.raw;
  const bob = await withAddress("bob", "email", MAILBOX, () =>
    digits(/^Subject: .*$/m.exec(last() ?? "")?.[0]),
  );
  wellDone(await bob.rest.ask("PUT", "/v1/rules", { ladders: { default: [{ to: "email" }] } }));
  const feed = await feedOf(bob, 3);
  feed.publishes("A room by mail");
  await eventually(() => expect(last()).toMatch(/^Subject: A room by mail/m));
  await bob.hasInHistory("A room by mail", "handed");

  relay.behaviours = [{ at: "rcpt", says: "550 5.1.1 no such mailbox" }];
  feed.publishes("A second room");
  await bob.hasInHistory("A second room", "refused");
  const { items } = wellDone(await bob.rest.get("/v1/destinations"));
  expect(items.find(({ channel }: { channel: string }) => channel === "email")).toMatchObject({
    state: "disabled",
    problem: expect.stringContaining("mailbox"),
  });
});
