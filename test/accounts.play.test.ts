/** The users cluster and the world around it: accounts are made by the web agent alone, and strangers stay outside. */
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates, connect as tlsConnect } from "node:tls";
import { type Bus, connectClient } from "@tidings/bus";
import {
  bareJid,
  claimStanza,
  createAccountStanza,
  readError,
  removeAccountStanza,
  splitJid,
} from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { eventually } from "@tidings/testkit";
import xml, { type Element } from "@xmpp/xml";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { openAuthority } from "../run/ejabberd/authority.ts";
import { startForeignServer } from "./foreign-server.ts";
import { type LoneNodes, startLoneNodes } from "./lone-nodes.ts";
import { RawComponent } from "./raw-component.ts";

const DOMAIN = "play.localhost";
const FOREIGN = "foreign.localhost";
const SILO = `s1.avatars.${DOMAIN}`;
const IM = `im.agents.${DOMAIN}`;
const WEB = `web.agents.${DOMAIN}`;
const H1 = `h1.hosts.avatars.${DOMAIN}`;
const SMS = `sms.agents.${DOMAIN}`;

let nodes: LoneNodes;
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  nodes = await startLoneNodes(DOMAIN);
  trust(await readFile(nodes.ejabberd.ca, "utf8"));
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
afterAll(async () => nodes?.stop());

/** What NODE_EXTRA_CA_CERTS does for a process, for this one that runs already. */
function trust(authority: string): void {
  setDefaultCACertificates([...getCACertificates("default"), authority]);
}

async function joins(domain: string): Promise<RawComponent> {
  const { busUrls, passwordFile } = nodes.ejabberd;
  const component = await RawComponent.connect(busUrls.agents, domain, passwordFile(domain));
  closers.push(() => component.cut());
  return component;
}

async function logsIn(username: string, password: string, url = nodes.ejabberd.clientUrl, domain = DOMAIN) {
  const bus = connectClient({ url, domain, username, password, resource: "play", log: silentLog() });
  closers.push(() => bus.stop());
  const heard: Element[] = [];
  bus.onStanza((stanza) => heard.push(stanza));
  if (!bus.isOnline) await new Promise<void>((resolve) => bus.onOnline(resolve));
  return { bus, heard, hears: (id: string) => hears(bus, heard, id) };
}

function hears(bus: Bus, heard: readonly Element[], id: string): Promise<Element> {
  return new Promise((resolve) => {
    const early = heard.find((stanza) => stanza.attrs.id === id);
    if (early !== undefined) return resolve(early);
    bus.onStanza((stanza) => stanza.attrs.id === id && resolve(stanza));
  });
}

const chat = (to: string, id: string, from?: string) =>
  xml("message", { type: "chat", to, id, ...(from === undefined ? {} : { from }) }, xml("body", {}, id));

/** Each play has people of its own. */
let lastPerson = 0;
async function signsUp(web: RawComponent): Promise<string> {
  lastPerson += 1;
  const name = `alice${lastPerson}`;
  const answer = await web.ask(createAccountStanza(WEB, DOMAIN, "", name, "wonder land", `${name}@${IM}`));
  expect(answer.attrs.type).toBe("result");
  return name;
}

test("the web agent makes an account, with its agent in the roster, and ends it", async () => {
  const web = await joins(WEB);
  const name = await signsUp(web);
  const again = await web.ask(createAccountStanza(WEB, DOMAIN, "", name, "other", `${name}@${IM}`));
  expect(readError(again).condition).toBe("conflict");

  const alice = await logsIn(name, "wonder land");
  const roster = await alice.bus.request(
    xml("iq", { type: "get" }, xml("query", { xmlns: "jabber:iq:roster" })),
  );
  const contact = roster.getChild("query")?.getChild("item");
  expect(contact?.attrs).toMatchObject({ jid: `${name}@${IM}`, name: "Tidings", subscription: "both" });
  expect(contact?.attrs.ask).toBeUndefined();
  expect(contact?.getChildText("group")).toBe("Tidings");

  for (const what of ["there is one", "there is none"]) {
    const ended = await web.ask(removeAccountStanza(WEB, DOMAIN, "", name));
    expect([what, ended.attrs.type]).toEqual([what, "result"]);
  }
  const afterwards = await web.ask(createAccountStanza(WEB, DOMAIN, "", name, "again", `${name}@${IM}`));
  expect(afterwards.attrs.type).toBe("result");
});

test("presence and messages pass between an account and its agent from the start", async () => {
  const [web, im] = await Promise.all([joins(WEB), joins(IM)]);
  const name = await signsUp(web);
  const alice = await logsIn(name, "wonder land");
  // For a second after the agent was missed its cluster is not asked again, and presence is not kept.
  const presence = await eventually(async () => {
    await alice.bus.send(xml("presence"));
    const arrived = im.heard.find((stanza) => stanza.name === "presence" && stanza.attrs.type === undefined);
    if (arrived === undefined) throw new Error(`the agent has heard only ${im.heard.join(" ") || "nothing"}`);
    return arrived;
  });
  expect(bareJid(presence.attrs.from)).toBe(`${name}@${DOMAIN}`);
  expect(presence.attrs.to).toBe(`${name}@${IM}`);
  im.send(chat(`${name}@${DOMAIN}`, "news", `${name}@${IM}`));
  await alice.hears("news");
});

test("nobody but the web agent makes or ends an account", async () => {
  const [web, sms] = await Promise.all([joins(WEB), joins(SMS)]);
  const name = await signsUp(web);
  const alice = await logsIn(name, "wonder land");
  const forAlice = { name: "mallory", password: "x", agent: `mallory@${IM}`, nick: "x" };
  const asked = alice.bus.request(
    xml(
      "iq",
      { type: "set", to: DOMAIN },
      xml("create-account", { xmlns: "urn:tidings:bus:1", ...forAlice }),
    ),
  );
  await expect(asked).rejects.toMatchObject({ condition: "forbidden" });
  const bySms = await sms.ask(removeAccountStanza(SMS, DOMAIN, "", name));
  expect(readError(bySms).condition).toBe("forbidden");
  const byAvatar = await web.ask(removeAccountStanza(`eve@${WEB}`, DOMAIN, "", name));
  expect(readError(byAvatar).condition).toBe("forbidden");
});

test("accounts outlive a crash of the users node", async () => {
  const web = await joins(WEB);
  const name = await signsUp(web);
  await nodes.ejabberd.kill("users");
  await nodes.ejabberd.restart("users");
  await logsIn(name, "wonder land");
});

test("one account cannot log in as another, and no password crosses the wire in the clear", async () => {
  const port = Number(new URL(nodes.ejabberd.clientUrl).port);
  const secure = await encrypted(port);
  const credentials = Buffer.from(`alice@${DOMAIN}\0bob\0bobs password`).toString("base64");
  secure.write(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${credentials}</auth>`);
  expect(await readUntil(secure, "</failure>")).toContain("<invalid-mechanism");
  secure.destroy();
});

test("nobody registers an account by themselves", async () => {
  const secure = await encrypted(Number(new URL(nodes.ejabberd.clientUrl).port));
  secure.write("<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>");
  expect(await readUntil(secure, ">")).not.toContain("jabber:iq:register");
  secure.destroy();
});

/** Bob logs in to a foreign server that proves its domain by certificate or by dialback. */
async function meetsForeigner(proof: string) {
  const authority = await openAuthority(proof === "certificate" ? nodes.home : join(nodes.home, "another"));
  const foreign = await startForeignServer({
    home: join(nodes.home, `prosody-${proof}-${closers.length}`),
    domain: FOREIGN,
    srv: nodes.ejabberd.srv,
    authority,
    users: { bob: "builder" },
  });
  closers.push(() => foreign.stop());
  trust(await readFile(authority.path, "utf8"));
  const bob = await logsIn("bob", "builder", foreign.clientUrl, FOREIGN);
  await bob.bus.send(xml("presence"));
  return { bob };
}

test.each(["certificate", "dialback"])(
  "a person on a foreign server (proved by %s) reaches an IM agent and an account, and no other agent",
  async (proof) => {
    const [web, im] = await Promise.all([joins(WEB), joins(IM)]);
    const name = await signsUp(web);
    const alice = await logsIn(name, "wonder land");
    await alice.bus.send(xml("presence"));
    const { bob } = await meetsForeigner(proof);

    await bob.bus.send(chat(`bob@${IM}`, "to-agent"));
    const arrived = await im.hears((stanza) => stanza.attrs.id === "to-agent");
    expect(bareJid(arrived.attrs.from)).toBe(`bob@${FOREIGN}`);
    im.send(chat(`bob@${FOREIGN}`, "from-agent", `bob@${IM}`));
    await bob.hears("from-agent");
    await bob.bus.send(chat(`${name}@${DOMAIN}`, "to-account"));
    await alice.hears("to-account");
    await alice.bus.send(chat(`bob@${FOREIGN}`, "from-account"));
    await bob.hears("from-account");

    await bob.bus.send(chat(WEB, "to-web-agent"));
    expect(readError(await bob.hears("to-web-agent")).condition).toBe("forbidden");
    expect(web.heard).toEqual([]);
  },
);

test.each(["certificate", "dialback"])(
  "a foreign server (proved by %s) is shut out of the avatars",
  async (proof) => {
    const { ejabberd, home } = nodes;
    const host = await RawComponent.connect(ejabberd.busUrls.avatars, H1, ejabberd.passwordFile(H1));
    closers.push(() => host.cut());
    const epoch = Date.now();
    for (const what of ["claim", "ready"] as const) {
      expect((await host.ask(claimStanza(what, H1, SILO, 3, epoch))).attrs.type).toBe("result");
    }
    const logFile = join(home, "logs/ejabberd-avatars/ejabberd.log");
    const before = (await readFile(logFile, "utf8")).length;
    const { bob } = await meetsForeigner(proof);
    for (const to of [`_3@${SILO}`, H1]) {
      await bob.bus.send(chat(to, `to ${to}`));
      // Either its own server is not let in and says so, or the stream ends at the first stanza.
      await eventually(async () => {
        const log = (await readFile(logFile, "utf8")).slice(before);
        const ends = `${FOREIGN} -> ${splitJid(to).domain}: Stream closed by local host: invalid-from`;
        if (!log.includes(ends) && !bob.heard.some((stanza) => stanza.attrs.id === `to ${to}`))
          throw new Error("no refusal");
      });
    }
    expect(host.heard).toEqual([]);
  },
);

test("an account reaches no avatar", async () => {
  const web = await joins(WEB);
  const name = await signsUp(web);
  const alice = await logsIn(name, "wonder land");
  await alice.bus.send(chat(`${name}@${SILO}`, "to-avatar"));
  expect((await alice.hears("to-avatar")).attrs.type).toBe("error");
});

test("with a certificate from elsewhere the users cluster still talks to the agents, and people trust that one", async () => {
  const tlsDir = await mkdtemp(join(tmpdir(), "tidings-tls-"));
  closers.push(() => rm(tlsDir, { recursive: true, force: true }));
  const elsewhere = await openAuthority(tlsDir);
  const pair = await elsewhere.issue("users", ["own.localhost"]);
  await copyFile(pair.certificate, join(tlsDir, "own.localhost.crt"));
  await copyFile(pair.key, join(tlsDir, "own.localhost.key"));
  const { ejabberd, stop } = await startLoneNodes("own.localhost", tlsDir);
  closers.push(stop);
  trust(await readFile(elsewhere.path, "utf8"));

  const agent = "web.agents.own.localhost";
  const web = await RawComponent.connect(ejabberd.busUrls.agents, agent, ejabberd.passwordFile(agent));
  closers.push(() => web.cut());
  const made = await web.ask(
    createAccountStanza(agent, "own.localhost", "", "alice", "wonder land", `alice@${agent}`),
  );
  expect(made.attrs.type).toBe("result");
  const alice = await logsIn("alice", "wonder land", ejabberd.clientUrl, "own.localhost");
  await alice.bus.send(chat(agent, "to-agent"));
  await web.hears((stanza) => stanza.attrs.id === "to-agent");
});

/** A stream to the users cluster after STARTTLS, before any login. */
async function encrypted(port: number): Promise<Socket> {
  const header = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='${DOMAIN}' version='1.0'>`;
  const plain = connect(port, "127.0.0.1");
  plain.write(header);
  await readUntil(plain, "</stream:features>");
  plain.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
  await readUntil(plain, "<proceed");
  const secure = tlsConnect({ socket: plain, servername: DOMAIN });
  secure.write(header);
  await readUntil(secure, "</stream:features>");
  return secure;
}

function readUntil(socket: Socket, end: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (!text.includes(end)) return;
      socket.off("data", onData);
      resolve(text);
    };
    socket.on("data", onData);
    socket.once("close", () => reject(new Error(`closed after ${text}`)));
  });
}
