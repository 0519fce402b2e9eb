/** For tests: an agent between a silo that answers as told and web servers that behave as told. */
import { DeliveryLedger } from "@tidings/agent";
import { dispatchTo, eventually, setSilo } from "@tidings/agent/silo-stage";
import { MemoryExchange } from "@tidings/bus";
import type { PostOutcome, PostRequest } from "@tidings/outbound";
import { addressesOf, type Dispatch } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { Agent } from "./agent.ts";

export { eventually };

export const AT = addressesOf("d.test");
export const HOOK = "https://hooks.example/alice?key=1";
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

/** Servers that answer as `outcomes` say, one after the other; the last one stands. */
export function webServers() {
  const servers = {
    outcomes: [{ kind: "taken" }] as PostOutcome[],
    posted: [] as PostRequest[],
    post: async (request: PostRequest): Promise<PostOutcome> => {
      servers.posted.push(request);
      const { outcomes } = servers;
      return (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) as PostOutcome;
    },
  };
  return servers;
}

/** Sets the stage. */
export async function setStage() {
  const exchange = new MemoryExchange();
  const silo = setSilo(exchange, AT, AT.webhook);
  const servers = webServers();
  const ledger = new DeliveryLedger(":memory:");
  const waitedMs: number[] = [];
  const lives: Agent[] = [];
  let bus = exchange.connect(AT.webhook);

  async function begin(): Promise<void> {
    silo.forgetsTheAgent();
    bus = exchange.connect(AT.webhook);
    const wait = async (ms: number, signal: AbortSignal) => {
      if (ms > 0) waitedMs.push(ms);
      signal.throwIfAborted();
    };
    lives.push(new Agent({ bus, addresses: AT, poster: servers, ledger, log: silentLog(), wait }));
    bus.goOnline();
    await silo.knowsTheAgent();
  }

  await begin();
  return Object.assign(silo, {
    servers,
    waitedMs,
    /** The agent's process dies without a word and another begins with the same ledger. */
    beginsAnew: async () => {
      bus.goOffline();
      await begin();
    },
    strike: async () => {
      await Promise.all(lives.map((agent) => agent.stop()));
      await silo.silo.stop();
      ledger.close();
    },
  });
}

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** A dispatch of "Two rooms, quiet street" to alice's webhook. */
export const dispatch = (changes: Partial<Dispatch> = {}) => dispatchTo(HOOK, { secret: SECRET, ...changes });
