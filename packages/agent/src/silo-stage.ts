/** For tests of agents: a silo in memory that answers as told and records what it is told. */
import type { MemoryExchange } from "@tidings/bus";
import {
  type Addresses,
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
} from "@tidings/protocol";
import { vi } from "vitest";

export interface CallMade extends CallBody {
  readonly to: string;
}

/** Waits until `assertion` holds, at most 5 s. */
export const eventually = (assertion: () => void) => vi.waitFor(assertion, { timeout: 5_000, interval: 5 });

/** A silo on `exchange` for the agent at the domain `agent`. What its fields say may be changed at any time. */
export function setSilo(exchange: MemoryExchange, addresses: Addresses, agent: string) {
  const silo = exchange.connect(addresses.silo);
  silo.goOnline();
  /** Shards that have acknowledged that a life of the agent has begun. */
  const knowing = new Set<number>();
  const stage = {
    silo,
    reports: [] as Report[],
    calls: [] as CallMade[],
    /** What the silo says to each call; throws CallError to refuse. */
    answers: {} as Record<string, (call: CallMade) => unknown>,
    acknowledges: true,
    /** A life of the agent that the silo knows already, and the latest that it has heard of. */
    agentEpoch: 0,
    heardEpoch: 0,
    /** The shard of the user orders that these be delivered. */
    dispatches: (...dispatches: Dispatch[]) => {
      const speaker = { siloDomain: addresses.silo, shard: shardOf(dispatches[0]?.user ?? ""), epoch: 1 };
      return silo.send(dispatchesStanza(speaker, agent, dispatches));
    },
    states: () => stage.reports.flatMap((said) => (said.kind === "delivery" ? [String(said.state)] : [])),
    lastDelivery: () => stage.reports.findLast(({ kind }) => kind === "delivery"),
    forgetsTheAgent: () => knowing.clear(),
    /** Resolves when the present life of the agent is in every shard's journal: from then on it takes dispatches. */
    knowsTheAgent: () =>
      eventually(() => {
        if (knowing.size < SHARDS) throw new Error(`${knowing.size} shards know of the agent`);
      }),
  };

  silo.onStanza((stanza) => {
    if (stanza.name === "iq") return void silo.send(answerTo(stanza));
    const child = busChild(stanza);
    if (child?.name !== "reports") return;
    const said = readReports(child);
    stage.reports.push(...said.reports);
    stage.heardEpoch = Math.max(stage.heardEpoch, said.agentEpoch);
    const shard = shardNamed(splitJid(stanza.attrs.to).local) ?? 0;
    if (!stage.acknowledges) return;
    if (said.reports.some(({ kind }) => kind === "agentUp")) knowing.add(shard);
    const known = Math.max(stage.agentEpoch, said.agentEpoch);
    void silo.send(reportedStanza(addresses.silo, shard, agent, child.attrs.id, known));
  });

  function answerTo(iq: Element): Element {
    const { from, to, id } = iq.attrs;
    const call = { ...readCall(iq.getChildElements()[0] as Element), to };
    stage.calls.push(call);
    try {
      const does = stage.answers[call.name];
      if (does === undefined)
        throw new CallError("cancel", "feature-not-implemented", `no ${call.name} here`);
      return answerStanza(to, from, id, does(call));
    } catch (error) {
      return refusalStanza(to, from, id, error as CallError);
    }
  }

  return stage;
}

/** A dispatch of "Two rooms, quiet street" to `address`, attempt 1, for alice. */
export function dispatchTo(address: string, changes: Partial<Dispatch> = {}): Dispatch {
  return {
    user: "alice",
    destination: "d1",
    address,
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
