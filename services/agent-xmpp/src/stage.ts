/** For tests: an agent between a silo that answers as told and a users' server that records what reaches it. */
import { type CallMade, dispatchTo, eventually, setSilo } from "@tidings/agent/silo-stage";
import { type Bus, MemoryExchange } from "@tidings/bus";
import { addressesOf, type Dispatch, type Element, splitJid, xml } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { Agent } from "./agent.ts";

export { type CallMade, eventually };

export const D = "d.test";
export const AT = addressesOf(D);
export const ALICE = `alice@${D}`;
export const ALICES_AGENT = `alice@${AT.im}`;

/** Sets the stage with the user alice, whose own account is verified; everyone else is a stranger. */
export async function setStage() {
  const exchange = new MemoryExchange();
  const world = exchange.connect(D);
  const elsewhere = exchange.connect("elsewhere.test");
  const bus = exchange.connect(AT.im);
  const heard: Element[] = [];
  const stage = Object.assign(setSilo(exchange, AT, AT.im), {
    world,
    elsewhere,
    bus,
    heard,
    lookup: async (_url: string): Promise<unknown> => ({ found: false }),
    answersPings: true,
    /** How long the users' server says it runs; null: it says nothing of it. */
    runsForSeconds: null as number | null,
  });
  stage.answers.addressStanding = standingOf;

  for (const server of [world, elsewhere]) {
    server.onStanza((stanza) => {
      heard.push(stanza);
      const { from, to, id, type } = stanza.attrs;
      if (stanza.name === "iq" && type === "get" && stage.answersPings) {
        const seconds = stage.runsForSeconds;
        const last = xml("query", { xmlns: "jabber:iq:last", seconds: String(seconds) });
        const said = seconds === null ? [] : [last];
        void server.send(xml("iq", { type: "result", from: to, to: from, id }, ...said));
      }
    });
  }
  for (const end of [world, elsewhere]) end.goOnline();
  const queue = {
    request: async (_queue: string, body: string) => JSON.stringify(await stage.lookup(JSON.parse(body).url)),
  };
  const agent = new Agent({ bus, queue, addresses: AT, log: silentLog() });
  bus.goOnline();
  await isKnownToAll(stage, elsewhere);

  return Object.assign(stage, {
    /** Somebody says something to alice's agent. */
    says: (text: string, from = `${ALICE}/phone`, id: string = crypto.randomUUID(), to = ALICES_AGENT) =>
      serverOf(from).send(xml("message", { type: "chat", from, to, id }, xml("body", {}, text))),
    sends: (stanza: Element) => serverOf(stanza.attrs.from).send(stanza),
    /** The texts that reached the address, in order. */
    textsTo: (address: string) =>
      heard
        .filter((stanza) => String(stanza.attrs.to).startsWith(address))
        .flatMap((stanza) => stanza.getChildText("body") ?? []),
    presences: () => stage.reports.filter((report) => report.kind === "presence"),
    /** The agent loses its connection and finds it again; resolves when every shard knows of it. */
    beginsAnew: () => {
      bus.goOffline();
      stage.forgetsTheAgent();
      bus.goOnline();
      return isKnownToAll(stage, elsewhere);
    },
    strike: async () => {
      agent.stop();
      await Promise.all([stage.silo, world, elsewhere, bus].map((end) => end.stop()));
    },
  });

  function serverOf(from: string) {
    return splitJid(from).domain === D ? world : elsewhere;
  }
}

/** Resolves when every shard knows of the present life of the agent, and the agent of that. */
async function isKnownToAll(stage: ReturnType<typeof setSilo>, observer: Bus): Promise<void> {
  await stage.knowsTheAgent();
  await answersPing(observer);
}

/** Resolves when the agent has seen to what was sent to it before: it answers in order. */
async function answersPing(observer: Bus): Promise<void> {
  const ping = xml("ping", { xmlns: "urn:xmpp:ping" });
  await observer.request(xml("iq", { type: "get", from: "observer@elsewhere.test", to: AT.im }, ping));
}

function standingOf({ to, args }: CallMade) {
  const user = splitJid(to).local;
  if (user !== "alice") return { standing: "noUser" };
  return { standing: (args as { address: string }).address === ALICE ? "verified" : "stranger" };
}

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** A dispatch of "Two rooms, quiet street" to alice's own account. */
export const dispatch = (changes: Partial<Dispatch> = {}) => dispatchTo(ALICE, changes);

/** Resolves when the agent has seen to everything sent to it before: it answers in order. */
export async function settled(stage: Stage): Promise<void> {
  for (let i = 0; i < 3; i++) await answersPing(stage.elsewhere);
}
