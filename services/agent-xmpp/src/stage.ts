/** For tests: an agent between a silo that answers as told and a users' server that records what reaches it. */
import { type Bus, MemoryExchange } from "@tidings/bus";
import {
  addressesOf,
  answerStanza,
  busChild,
  type CallBody,
  CallError,
  type Dispatch,
  dispatchesStanza,
  type Element,
  type Report,
  readCall,
  readReports,
  refusalStanza,
  reportedStanza,
  SHARDS,
  shardNamed,
  shardOf,
  splitJid,
  xml,
} from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { vi } from "vitest";
import { Agent } from "./agent.ts";

export const D = "d.test";
export const AT = addressesOf(D);
export const ALICE = `alice@${D}`;
export const ALICES_AGENT = `alice@${AT.im}`;

export interface CallMade extends CallBody {
  readonly to: string;
}

/** Sets the stage with the user alice, whose own account is verified; everyone else is a stranger. */
export async function setStage() {
  const exchange = new MemoryExchange();
  const silo = exchange.connect(AT.silo);
  const world = exchange.connect(D);
  const elsewhere = exchange.connect("elsewhere.test");
  const bus = exchange.connect(AT.im);
  const reports: Report[] = [];
  const calls: CallMade[] = [];
  const heard: Element[] = [];
  /** Shards that have acknowledged that a life of the agent has begun. */
  const knowing = new Set<number>();
  const stage = {
    silo,
    world,
    elsewhere,
    bus,
    reports,
    calls,
    heard,
    /** What the silo says to each call; throws CallError to refuse. */
    answers: { addressStanding: standingOf } as Record<string, (call: CallMade) => unknown>,
    lookup: async (_url: string): Promise<unknown> => ({ found: false }),
    acknowledges: true,
    /** A life of the agent that the silo knows already, and the latest that it has heard of. */
    agentEpoch: 0,
    heardEpoch: 0,
    answersPings: true,
  };

  silo.onStanza((stanza) => {
    if (stanza.name === "iq") return void silo.send(answer(stanza));
    const child = busChild(stanza);
    if (child?.name !== "reports") return;
    const said = readReports(child);
    reports.push(...said.reports);
    stage.heardEpoch = Math.max(stage.heardEpoch, said.agentEpoch);
    const shard = shardNamed(splitJid(stanza.attrs.to).local) ?? 0;
    if (!stage.acknowledges) return;
    if (said.reports.some(({ kind }) => kind === "agentUp")) knowing.add(shard);
    const known = Math.max(stage.agentEpoch, said.agentEpoch);
    void silo.send(reportedStanza(AT.silo, shard, AT.im, child.attrs.id, known));
  });
  const answer = (iq: Element) => {
    const { from, to, id } = iq.attrs;
    const call = { ...readCall(iq.getChildElements()[0] as Element), to };
    calls.push(call);
    try {
      const does = stage.answers[call.name];
      if (does === undefined)
        throw new CallError("cancel", "feature-not-implemented", `no ${call.name} here`);
      return answerStanza(to, from, id, does(call));
    } catch (error) {
      return refusalStanza(to, from, id, error as CallError);
    }
  };
  for (const server of [world, elsewhere]) {
    server.onStanza((stanza) => {
      heard.push(stanza);
      const { from, to, id, type } = stanza.attrs;
      if (stanza.name === "iq" && type === "get" && stage.answersPings) {
        void server.send(xml("iq", { type: "result", from: to, to: from, id }));
      }
    });
  }
  for (const end of [silo, world, elsewhere]) end.goOnline();
  const queue = {
    request: async (_queue: string, body: string) => JSON.stringify(await stage.lookup(JSON.parse(body).url)),
  };
  const agent = new Agent({ bus, queue, addresses: AT, log: silentLog() });
  bus.goOnline();
  await isKnownToAll(knowing, elsewhere);

  return Object.assign(stage, {
    /** The shard of the user orders that these be delivered. */
    dispatches: (...dispatches: Dispatch[]) =>
      silo.send(
        dispatchesStanza(
          { siloDomain: AT.silo, shard: shardOf(dispatches[0]?.user ?? ""), epoch: 1 },
          AT.im,
          dispatches,
        ),
      ),
    /** Somebody says something to alice's agent. */
    says: (text: string, from = `${ALICE}/phone`, id: string = crypto.randomUUID(), to = ALICES_AGENT) =>
      serverOf(from).send(xml("message", { type: "chat", from, to, id }, xml("body", {}, text))),
    sends: (stanza: Element) => serverOf(stanza.attrs.from).send(stanza),
    /** The texts that reached the address, in order. */
    textsTo: (address: string) =>
      heard
        .filter((stanza) => String(stanza.attrs.to).startsWith(address))
        .flatMap((stanza) => stanza.getChildText("body") ?? []),
    states: () => reports.flatMap((report) => (report.kind === "delivery" ? [String(report.state)] : [])),
    lastDelivery: () => reports.findLast(({ kind }) => kind === "delivery"),
    presences: () => reports.filter((report) => report.kind === "presence"),
    /** The agent loses its connection and finds it again; resolves when every shard knows of it. */
    beginsAnew: () => {
      bus.goOffline();
      knowing.clear();
      bus.goOnline();
      return isKnownToAll(knowing, elsewhere);
    },
    strike: async () => {
      agent.stop();
      await Promise.all([silo, world, elsewhere, bus].map((end) => end.stop()));
    },
  });

  function serverOf(from: string) {
    return splitJid(from).domain === D ? world : elsewhere;
  }
}

/** Resolves when the present life of the agent is in every shard's journal: from then on it takes dispatches. */
async function isKnownToAll(knowing: ReadonlySet<number>, observer: Bus): Promise<void> {
  await eventually(() => {
    if (knowing.size < SHARDS) throw new Error(`${knowing.size} shards know of the agent`);
  });
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
export function dispatch(changes: Partial<Dispatch> = {}): Dispatch {
  return {
    user: "alice",
    destination: "d1",
    address: ALICE,
    attempt: 1,
    sourceTitle: "Rooms",
    heldSinceAt: null,
    notification: {
      id: "0123456789abcdef0123456789abcdef",
      title: "Two rooms, quiet street",
      link: "https://example.org/1",
      summary: null,
      author: null,
      publishedAt: null,
      source: "rss.1",
      seq: 1,
      receivedAt: 1,
    },
    ...changes,
  };
}

/** Waits until `assertion` holds, at most 5 s. */
export const eventually = (assertion: () => void) => vi.waitFor(assertion, { timeout: 5_000, interval: 5 });

/** Resolves when the agent has seen to everything sent to it before: it answers in order. */
export async function settled(stage: Stage): Promise<void> {
  for (let i = 0; i < 3; i++) await answersPing(stage.elsewhere);
}
