/**
 * The user's addresses. An unverified one receives nothing but its code.
 *
 *     im            the page shows the code; the user sends it from the address to the agent
 *     sms, email,   the code goes to the address; the user enters it on the page
 *     webhook
 */
import { randomInt, randomUUID, timingSafeEqual } from "node:crypto";
import {
  type AgentChannel,
  CallError,
  type DeliveryReport,
  type DestinationView,
  isAgentChannel,
  newSigningSecret,
  USER_LIMITS,
} from "@tidings/protocol";
import type { CoreRow, DestinationRow } from "./rows.ts";
import { systemMessage } from "./system-message.ts";

const CODE_MS = 10 * 60_000;
const CODE_TRIES = 5;
/** Between two codes to one address that may be somebody else's (milliseconds). */
const CODE_PAUSE_MS = 60_000;
/** Codes of one user in an hour: who removes an address and adds it again sends no more (milliseconds). */
const MOST_CODES = 10;
const HOUR_MS = 3_600_000;
/** Of many that are refused for good, these say that the address itself is none (any longer). */
const NO_ADDRESS = new Set(["gone", "item-not-found", "jid-malformed"]);

export interface Place {
  readonly channel: AgentChannel;
  readonly address: string;
}

/**
 * The core with the address added, or with a fresh code for one that is not verified. Throws CallError at the limit, and
 * when a code has just been sent to the address.
 */
export function withAddress(
  core: CoreRow,
  { channel, address }: Place,
  nowAt: number,
): { core: CoreRow; row: DestinationRow; created: boolean } {
  const known = core.destinations.find((row) => row.channel === channel && row.address === address);
  if (known?.state === "verified") return { core, row: known, created: false };
  if (known === undefined && core.destinations.length >= USER_LIMITS.destinations) {
    throw new CallError(
      "modify",
      "not-acceptable",
      `You have ${USER_LIMITS.destinations} destinations, which is the limit; remove one first.`,
    );
  }
  const isSent = channel !== "im";
  const lastAt = (known?.codeUntilAt ?? 0) - CODE_MS;
  if (isSent && nowAt - lastAt < CODE_PAUSE_MS) {
    throw new CallError(
      "cancel",
      "policy-violation",
      "A code was sent there less than a minute ago; wait a minute before you ask for another one.",
    );
  }
  const lately = (core.codesSentAt ?? []).filter((at) => nowAt - at < HOUR_MS);
  if (isSent && lately.length >= MOST_CODES) {
    throw new CallError(
      "cancel",
      "policy-violation",
      `${MOST_CODES} codes were sent for you within the hour; wait until you ask for another one.`,
    );
  }
  const row: DestinationRow = {
    id: known?.id ?? randomUUID(),
    channel,
    address,
    state: "unverified",
    code: String(randomInt(1_000_000)).padStart(6, "0"),
    codeUntilAt: nowAt + CODE_MS,
    triesLeft: CODE_TRIES,
    problem: null,
    ...(channel === "webhook" ? { secret: known?.secret ?? newSigningSecret() } : {}),
    ...(isSent ? { message: { kind: "code", at: nowAt } as const } : {}),
  };
  const others = core.destinations.filter(({ id }) => id !== row.id);
  const next = { ...core, destinations: [...others, row] };
  const counted = isSent ? { ...next, codesSentAt: [...lately, nowAt] } : next;
  return { core: counted, row, created: known === undefined };
}

/** The core without the destination. Throws CallError when there is none, or when it is the user's own account. */
export function withoutDestination(core: CoreRow, id: string): CoreRow {
  destinationIn(core, id);
  if (id === "im")
    throw new CallError(
      "cancel",
      "not-allowed",
      "Your own IM account stays; pause it instead, or erase the account.",
    );
  return { ...core, destinations: core.destinations.filter((row) => row.id !== id) };
}

/** Throws CallError when there is none. */
export function destinationIn({ destinations }: CoreRow, id: string): DestinationRow {
  const row = destinations.find((candidate) => candidate.id === id);
  if (row === undefined) throw new CallError("cancel", "item-not-found", "You have no such destination.");
  return row;
}

/** Whose code it is: an IM address sends its own, of another one the id is known. */
export type Proven = { readonly address: string } | { readonly id: string };

/** Tries a code: the core to keep, and the destination when the code was right. A wrong code uses up a try. */
export function tryCode(
  core: CoreRow,
  proven: Proven,
  code: string,
  nowAt: number,
): { core: CoreRow; verified: DestinationRow | null } {
  const isProven = (row: DestinationRow) =>
    "id" in proven
      ? row.id === proven.id && row.channel !== "im"
      : row.address === proven.address && row.channel === "im";
  const row = core.destinations.find((candidate) => isProven(candidate) && candidate.state === "unverified");
  if (row === undefined || row.code === null || row.triesLeft === 0 || nowAt > (row.codeUntilAt ?? 0))
    return { core, verified: null };
  const { message: _, ...rest } = row;
  const isRight = isSame(row.code, code.trim());
  const next: DestinationRow = isRight
    ? { ...rest, state: "verified", code: null, codeUntilAt: null, problem: null }
    : { ...row, triesLeft: row.triesLeft - 1 };
  return { core: withRow(core, next), verified: isRight ? next : null };
}

/** The core with a test under way to the destination. Throws CallError when there is none, or when it is not verified. */
export function withTest(core: CoreRow, id: string, nowAt: number): { core: CoreRow; row: DestinationRow } {
  const before = destinationIn(core, id);
  if (before.state !== "verified") {
    throw new CallError("modify", "not-acceptable", "Verify this destination first, with its code.");
  }
  const row: DestinationRow = { ...before, message: { kind: "test", at: nowAt } };
  return { core: withRow(core, row), row };
}

/** What an agent's report says of the destination itself; the same core when that is nothing new. */
export function withReported(core: CoreRow, said: DeliveryReport): CoreRow {
  const row = core.destinations.find(({ id }) => id === said.destination);
  if (row === undefined) return core;
  const isOwn = systemMessage(row)?.id === said.notification;
  const isRefused = said.state === "refused";
  const isNone = isRefused && !said.mayRetry && row.channel !== "im" && NO_ADDRESS.has(said.condition ?? "");
  if (!isOwn && !isNone) return core;
  const { message, ...rest } = row;
  const problem = isRefused ? (said.text ?? `It was refused: ${said.condition ?? "no reason given"}.`) : null;
  const next: DestinationRow = { ...rest, problem, ...(isOwn || message === undefined ? {} : { message }) };
  if (!isNone || row.state !== "verified") return withRow(core, next);
  return withNotice(withRow(core, { ...next, state: "disabled" }), next, said.at);
}

/** Another destination is told, by chat if that can be, that `gone` gets nothing any more. */
function withNotice(core: CoreRow, { id, address, problem }: DestinationRow, at: number): CoreRow {
  const others = core.destinations.filter(
    (row) =>
      row.id !== id && row.state === "verified" && isAgentChannel(row.channel) && row.message === undefined,
  );
  const other = others.find(({ channel }) => channel === "im") ?? others[0];
  if (other === undefined) return core;
  return withRow(core, { ...other, message: { kind: "notice", at, address, problem: problem ?? "" } });
}

/** Whether Tidings' own message to one of them is under way. */
export function awaitsMessage({ destinations }: CoreRow): boolean {
  return destinations.some(({ message }) => message !== undefined);
}

/** An address from which a receipt came sends receipts. */
export function learnReceipts(core: CoreRow, report: DeliveryReport): CoreRow {
  const address = core.destinations.find(({ id }) => id === report.destination)?.address;
  if (report.state !== "received" || address === undefined || core.receiptsFrom.includes(address))
    return core;
  return { ...core, receiptsFrom: [...core.receiptsFrom, address].slice(-20) };
}

/** Where the user may be present. */
export function imAddresses({ destinations }: CoreRow): string[] {
  return destinations
    .filter(({ channel, state }) => channel === "im" && state === "verified")
    .map(({ address }) => address);
}

/** For the user: what proves an address must not be read beside it. */
export function destinationView({ triesLeft: _, message: __, ...row }: DestinationRow): DestinationView {
  return row.channel === "im" ? row : { ...row, code: null };
}

export function withRow(core: CoreRow, row: DestinationRow): CoreRow {
  const destinations = core.destinations.map((candidate) => (candidate.id === row.id ? row : candidate));
  return { ...core, destinations };
}

function isSame(a: string, b: string): boolean {
  const [expected, given] = [Buffer.from(a), Buffer.from(b)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}
