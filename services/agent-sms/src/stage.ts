/** For tests: an agent between a silo that answers as told and a provider that behaves as the real one does. */
import { once } from "node:events";
import { dispatchTo, eventually, setSilo } from "@tidings/agent/silo-stage";
import { MemoryExchange } from "@tidings/bus";
import { addressesOf, type Dispatch, splitJid } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { Agent } from "./agent.ts";
import type { Limits } from "./allowance.ts";
import { callbacks, listen } from "./callbacks.ts";
import { Ledger } from "./ledger.ts";
import { TwilioProvider } from "./provider.ts";
import { ACCOUNT_SID, AUTH_TOKEN, FROM, setProvider } from "./provider-stage.ts";

export { eventually };

export const AT = addressesOf("d.test");
export const PHONE = "+12025550100";
export const LIMITS: Limits = {
  perNumber: 100,
  perPrefix: 100,
  segmentsPerDay: 1_000,
  segmentsPerHour: 1_000,
};

export interface StageOptions {
  readonly countries?: readonly string[];
  readonly limits?: Partial<Limits>;
}

/** Sets the stage; alice's phone is verified, every other number is a stranger's. */
export async function setStage({ countries = ["US", "GB"], limits = {} }: StageOptions = {}) {
  const exchange = new MemoryExchange();
  const silo = setSilo(exchange, AT, AT.sms);
  silo.answers.addressStanding = ({ to, args }) => ({
    standing:
      splitJid(to).local === "alice" && (args as { address: string }).address === PHONE
        ? "verified"
        : "stranger",
  });
  const provider = await setProvider();
  const account = { base: provider.base, accountSid: ACCOUNT_SID, authToken: AUTH_TOKEN, from: FROM };
  const ledger = new Ledger(":memory:");
  const agents: Agent[] = [];
  let agent: Agent;
  let bus = exchange.connect(AT.sms);
  const log = silentLog();
  const app = callbacks({
    ...account,
    get publicUrl() {
      return stage.callbackUrl;
    },
    agent: {
      statusChanged: (news) => agent.statusChanged(news),
      heard: (heard, at) => agent.heard(heard, at),
    },
    log,
  });
  const stage = Object.assign(silo, {
    provider,
    ledger,
    callbackUrl: `http://127.0.0.1:${await listen(app, 0)}`,
    /** Waits between tries that the agent would have made, in milliseconds. */
    waitedMs: [] as number[],
    /** What the agent's waits resolve with in place of the time. */
    passes: async (_ms: number): Promise<void> => {},
    conditions: () =>
      silo.reports.flatMap((said) =>
        said.kind === "delivery" && said.state === "refused" ? [said.condition] : [],
      ),
    /** What the user did, as reported. */
    deeds: () =>
      silo.reports.flatMap((said) => (said.kind === "delivery" && said.did ? [said.did.deed] : [])),
    says: (text: string, number = PHONE, more = {}) => provider.hears(stage.callbackUrl, number, text, more),
    /** The agent's process dies without a word and another begins with the same ledger. */
    beginsAnew: async () => {
      bus.goOffline();
      await begin();
    },
    /** The agent's process is stopped as it should be, and another begins with the same ledger. */
    restarts: async () => {
      await agent.stop();
      bus.goOffline();
      await begin();
    },
    strike: async () => {
      await Promise.all(agents.map((life) => life.stop()));
      await app.close();
      await provider.stop();
      await silo.silo.stop();
      ledger.close();
    },
  });

  async function begin(): Promise<void> {
    silo.forgetsTheAgent();
    bus = exchange.connect(AT.sms);
    agent = new Agent({
      bus,
      addresses: AT,
      provider: new TwilioProvider(account),
      ledger,
      limits: { ...LIMITS, ...limits },
      countries: new Set(countries),
      callbackUrl: stage.callbackUrl,
      log,
      wait: async (ms, signal) => {
        stage.waitedMs.push(ms);
        await Promise.race([stage.passes(ms), once(signal, "abort")]);
        signal.throwIfAborted();
      },
    });
    agents.push(agent);
    bus.goOnline();
    await silo.knowsTheAgent();
  }

  await begin();
  return stage;
}

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** A dispatch of "Two rooms, quiet street" to alice's phone. */
export const dispatch = (changes: Partial<Dispatch> = {}) => dispatchTo(PHONE, changes);

/** The same with another notification for each `n`. */
export function numbered(n: number, changes: Partial<Dispatch> = {}): Dispatch {
  const sample = dispatch(changes);
  const id = n.toString(16).padStart(32, "0");
  return { ...sample, notification: { ...sample.notification, id, title: `Room ${n}` } };
}
