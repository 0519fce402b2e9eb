/** For tests: an agent between a silo that answers as told and an SMTP server that behaves as told. */
import { once } from "node:events";
import { DeliveryLedger } from "@tidings/agent";
import { dispatchTo, eventually, setSilo } from "@tidings/agent/silo-stage";
import { MemoryExchange } from "@tidings/bus";
import { addressesOf, type Dispatch, splitJid } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import { Agent } from "./agent.ts";
import type { Sender } from "./mail.ts";
import { SmtpRelay } from "./relay.ts";
import { setRelay } from "./relay-stage.ts";
import { Tokens } from "./tokens.ts";

export { eventually };

export const AT = addressesOf("d.test");
export const MAILBOX = "alice@example.org";
export const SENDER: Sender = {
  from: "notifications@d.test",
  mailDomain: "in.d.test",
  tokens: new Tokens("secret of the tests", "in.d.test"),
  publicUrl: "https://d.test",
};

/** Sets the stage; alice's mailbox is verified, every other one is a stranger's. */
export async function setStage() {
  const exchange = new MemoryExchange();
  const silo = setSilo(exchange, AT, AT.email);
  silo.answers.addressStanding = ({ to, args }) => ({
    standing:
      splitJid(to).local === "alice" && (args as { address: string }).address === MAILBOX
        ? "verified"
        : "stranger",
  });
  const relay = await setRelay();
  const ledger = new DeliveryLedger(":memory:");
  const lives: { agent: Agent; smtp: SmtpRelay }[] = [];
  let bus = exchange.connect(AT.email);
  const stage = Object.assign(silo, {
    relay,
    ledger,
    /** Waits between tries that the agent would have made, in milliseconds. */
    waitedMs: [] as number[],
    /** What the agent's waits resolve with in place of the time. */
    passes: async (_ms: number): Promise<void> => {},
    agent: () => lives.at(-1)?.agent as Agent,
    conditions: () =>
      silo.reports.flatMap((said) =>
        said.kind === "delivery" && said.state === "refused" ? [said.condition] : [],
      ),
    /** What the user did, as reported. */
    deeds: () =>
      silo.reports.flatMap((said) => (said.kind === "delivery" && said.did ? [said.did.deed] : [])),
    /** A header of the last message that the relay has taken. */
    header: (name: string) => headerIn(relay.taken.at(-1)?.raw ?? "", name),
    /** The agent's process dies without a word and another begins with the same ledger. */
    beginsAnew: async () => {
      bus.goOffline();
      await begin();
    },
    /** The agent's process is stopped as it should be, and another begins with the same ledger. */
    restarts: async () => {
      await stage.agent().stop();
      await stage.beginsAnew();
    },
    strike: async () => {
      await Promise.all(lives.map(({ agent }) => agent.stop()));
      for (const { smtp } of lives) smtp.close();
      await relay.stop();
      await silo.silo.stop();
      ledger.close();
    },
  });

  async function begin(): Promise<void> {
    silo.forgetsTheAgent();
    bus = exchange.connect(AT.email);
    const smtp = new SmtpRelay({ url: relay.url, name: "d.test", silenceMs: 500 });
    const agent = new Agent({
      bus,
      addresses: AT,
      relay: smtp,
      ledger,
      sender: SENDER,
      log: silentLog(),
      wait: async (ms, signal) => {
        if (ms > 0) stage.waitedMs.push(ms);
        if (!signal.aborted) await Promise.race([stage.passes(ms), once(signal, "abort")]);
        signal.throwIfAborted();
      },
    });
    lives.push({ agent, smtp });
    bus.goOnline();
    await silo.knowsTheAgent();
  }

  await begin();
  return stage;
}

export type Stage = Awaited<ReturnType<typeof setStage>>;

/** A dispatch of "Two rooms, quiet street" to alice's mailbox. */
export const dispatch = (changes: Partial<Dispatch> = {}) => dispatchTo(MAILBOX, changes);

/** The value of a header of a message, unfolded. */
export function headerIn(raw: string, name: string): string | undefined {
  const head = raw.split(/\r?\n\r?\n/)[0]?.replace(/\r?\n[ \t]+/g, " ") ?? "";
  return new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1];
}
