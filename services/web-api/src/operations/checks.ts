/**
 * What web-api can see of the installation from where it stands: whether the clusters reach each other, and whether the queues
 * are as they should be. The other checks of `tidings doctor` are made from outside.
 */
import { randomUUID } from "node:crypto";
import { xml } from "@tidings/protocol";
import type { Parts } from "../parts.ts";
import { probeAvatars } from "../probe.ts";
import { readFleet } from "./fleet-calls.ts";
import { queueStandings } from "./queue-depths.ts";

const PING_MS = 5_000;

export interface Check {
  readonly name: string;
  readonly isGood: boolean;
  /** What was found, in a sentence. */
  readonly found: string;
  /** What to do; null: nothing. */
  readonly advice: string | null;
}

type Asked = Pick<Parts, "bus" | "queue" | "avatars" | "addresses">;

/** All of them, within seconds. Never rejects. */
export async function checkFromInside(parts: Asked): Promise<Check[]> {
  const { bus, addresses } = parts;
  const ping = () =>
    bus.request(
      xml(
        "iq",
        { type: "get", from: addresses.web, to: addresses.users, id: randomUUID() },
        xml("ping", { xmlns: "urn:xmpp:ping" }),
      ),
      PING_MS,
    );
  const links = await Promise.all([
    link("agents to users", "the users cluster", ping),
    link("agents to avatars", "the monitor, over the avatars cluster,", () => readFleet(parts)),
    link("avatars", "an avatar host", () => probeAvatars(parts, PING_MS)),
  ]);
  return [...links, await checkQueues(parts)];
}

async function link(name: string, who: string, ask: () => Promise<unknown>): Promise<Check> {
  const startedAt = performance.now();
  try {
    await ask();
    const ms = Math.round(performance.now() - startedAt);
    return { name, isGood: true, found: `${who} answers after ${ms} ms`, advice: null };
  } catch (error) {
    const found = `${who} does not answer: ${(error as Error).message}`;
    const advice =
      "Look whether its processes run, and in their logs for s2s and certificates; what is for it waits meanwhile.";
    return { name, isGood: false, found, advice };
  }
}

async function checkQueues({ queue }: Asked): Promise<Check> {
  const name = "queues";
  try {
    const standings = await queueStandings(queue);
    const different = standings.filter(({ standing }) => standing === "different");
    const missing = standings.filter(({ standing }) => standing === "missing").length;
    if (different.length > 0) {
      const found = `${different.map((one) => one.queue).join(", ")}: other arguments than Tidings declares`;
      const advice = "Stop what fills it, let it run empty, delete it, and Tidings declares it anew.";
      return { name, isGood: false, found, advice };
    }
    const there = standings.length - missing;
    const rest = missing === 0 ? "" : `; ${missing} have not been needed yet`;
    return { name, isGood: true, found: `${there} queues are as Tidings declares them${rest}`, advice: null };
  } catch (error) {
    const advice = "Look whether RabbitMQ runs, and has memory and disk left; nothing is lost meanwhile.";
    return { name, isGood: false, found: `RabbitMQ does not say: ${(error as Error).message}`, advice };
  }
}
