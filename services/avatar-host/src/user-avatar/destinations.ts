/** The user's addresses. An unverified one receives nothing; it is verified by a code sent from it to the agent. */
import { randomInt, randomUUID, timingSafeEqual } from "node:crypto";
import { CallError, type DestinationView, USER_LIMITS } from "@tidings/protocol";
import type { CoreRow, DestinationRow } from "./rows.ts";

const CODE_MS = 10 * 60_000;
const CODE_TRIES = 5;

/** The core with the address added, or with a fresh code for one that is not verified yet. Throws CallError at the limit. */
export function withAddress(
  core: CoreRow,
  address: string,
  nowAt: number,
): { core: CoreRow; row: DestinationRow; created: boolean } {
  const known = core.destinations.find((candidate) => candidate.address === address);
  if (known?.state === "verified") return { core, row: known, created: false };
  if (known === undefined && core.destinations.length >= USER_LIMITS.destinations) {
    throw new CallError(
      "modify",
      "not-acceptable",
      `You have ${USER_LIMITS.destinations} destinations, which is the limit; remove one first.`,
    );
  }
  const row: DestinationRow = {
    id: known?.id ?? randomUUID(),
    channel: "im",
    address,
    state: "unverified",
    code: String(randomInt(1_000_000)).padStart(6, "0"),
    codeUntilAt: nowAt + CODE_MS,
    triesLeft: CODE_TRIES,
    problem: null,
  };
  const others = core.destinations.filter(({ id }) => id !== row.id);
  return { core: { ...core, destinations: [...others, row] }, row, created: known === undefined };
}

/** The core without the destination. Throws CallError when there is none, or when it is the user's own account. */
export function withoutDestination(core: CoreRow, id: string): CoreRow {
  if (!core.destinations.some((row) => row.id === id)) {
    throw new CallError("cancel", "item-not-found", "You have no such destination.");
  }
  if (id === "im")
    throw new CallError(
      "cancel",
      "not-allowed",
      "Your own IM account stays; pause it instead, or erase the account.",
    );
  return { ...core, destinations: core.destinations.filter((row) => row.id !== id) };
}

/**
 * Tries a code that was sent from `address`: the core to keep, and the destination when the code was right. A wrong code
 * uses up a try.
 */
export function tryCode(
  core: CoreRow,
  address: string,
  code: string,
  nowAt: number,
): { core: CoreRow; verified: DestinationRow | null } {
  const row = core.destinations.find(
    (candidate) => candidate.address === address && candidate.state === "unverified",
  );
  if (row === undefined || row.code === null || row.triesLeft === 0 || nowAt > (row.codeUntilAt ?? 0))
    return { core, verified: null };
  const isRight = isSame(row.code, code.trim());
  const next: DestinationRow = isRight
    ? { ...row, state: "verified", code: null, codeUntilAt: null }
    : { ...row, triesLeft: row.triesLeft - 1 };
  const destinations = core.destinations.map((candidate) => (candidate.id === row.id ? next : candidate));
  return { core: { ...core, destinations }, verified: isRight ? next : null };
}

export function destinationView({ triesLeft: _, ...row }: DestinationRow): DestinationView {
  return row;
}

function isSame(a: string, b: string): boolean {
  const [expected, given] = [Buffer.from(a), Buffer.from(b)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}
