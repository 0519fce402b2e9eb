/**
 * A name server on loopback for ejabberd's SRV look-ups (RFC 6120 §3.2.1): several servers share one machine and one
 * address, so each domain needs its own port. The target is a numeric address, which ejabberd resolves without asking.
 * Erlang's resolver asks nobody else, so the questions for the rest of the world are passed on.
 */
import { createSocket } from "node:dgram";
import type { SrvRecord } from "node:dns";
import { once } from "node:events";
import { isIP } from "node:net";
import { decode, encode, type Packet, type Question, type SrvAnswer } from "dns-packet";

const SERVICE = "_xmpp-server._tcp";
/** RFC 1035 §4.1.1: the authoritative-answer flag and the response code for a name that does not exist. */
const AUTHORITATIVE = 1 << 10;
const NXDOMAIN = 3;
const RECURSION_DESIRED = 1 << 8;
const TTL_SECONDS = 1;
/** Questions under way at a time. */
const MAX_PENDING = 200;
/** So that an answer fits into a datagram of 512 bytes (RFC 1035 §2.3.4) with names of usual length. */
const MAX_RECORDS = 6;
const HOST_NAME = /^([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}$/i;
/** Domains that are nobody's in the world (RFC 6761, RFC 6762). */
const SPECIAL = /(^|\.)(localhost|test|invalid|example|local)$/;

export interface SrvResponder {
  readonly port: number;
  /** Domain → port, as it is now. */
  readonly domains: ReadonlyMap<string, number>;
  /** From now on `domain` and everything below it is served at `port` of 127.0.0.1, unless a longer domain matches. */
  add(domain: string, port: number): void;
  remove(domain: string): void;
  /** May be called twice. */
  stop(): Promise<void>;
}

/** Looks a name up in the world's DNS; rejects when there is no such record. */
export type LookUp = (name: string) => Promise<readonly SrvRecord[]>;

/** The host, or the address, of the server of one of the domains that are answered for. */
export type HostOf = (domain: string) => string;

/**
 * Answers at `port` of 127.0.0.1 (0 = any free one) for `domains` (domain → port), and for the rest of the world by
 * `lookUp`. Rejects when it cannot listen.
 */
export async function startSrvResponder(
  port: number,
  domains: Readonly<Record<string, number>>,
  lookUp: LookUp = () => Promise.reject(new Error("the world is not asked")),
  hostOf: HostOf = () => "127.0.0.1",
): Promise<SrvResponder> {
  const table = new Map(Object.entries(domains));
  const socket = createSocket("udp4");
  let pending = 0;
  let isOpen = true;
  socket.on("message", async (message, peer) => {
    // Silence past the bound: who asked asks again.
    if (pending >= MAX_PENDING) return;
    pending += 1;
    const answer = await answerTo(message, table, lookUp, hostOf);
    pending -= 1;
    if (answer !== null && isOpen) socket.send(answer, peer.port, peer.address, () => undefined);
  });
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return {
    port: socket.address().port,
    domains: table,
    add: (domain, target) => void table.set(domain, target),
    remove: (domain) => void table.delete(domain),
    stop: async () => {
      if (!isOpen) return;
      isOpen = false;
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}

/** The port of the longest domain in `table` that is `name` or above it; null when there is none. */
export function portOf(name: string, table: ReadonlyMap<string, number>): number | null {
  return domainOf(name, table)?.[1] ?? null;
}

function domainOf(name: string, table: ReadonlyMap<string, number>): readonly [string, number] | null {
  for (let domain = name; domain !== ""; domain = domain.slice(domain.indexOf(".") + 1)) {
    const port = table.get(domain);
    if (port !== undefined) return [domain, port];
    if (!domain.includes(".")) return null;
  }
  return null;
}

/** The answer to one datagram, or null when it is no question: silence is the answer to garbage. Never rejects. */
export async function answerTo(
  message: Uint8Array,
  table: ReadonlyMap<string, number>,
  lookUp: LookUp,
  hostOf: HostOf = () => "127.0.0.1",
): Promise<Uint8Array | null> {
  const query = decodeOrNull(message);
  const question = query?.questions?.[0];
  if (query === null || query.type !== "query" || question === undefined) return null;
  const answers = await answersTo(question, table, lookUp, hostOf);
  const recursionDesired = (query.flags ?? 0) & RECURSION_DESIRED;
  const flags = AUTHORITATIVE | recursionDesired | (answers.length === 0 ? NXDOMAIN : 0);
  return encode({ type: "response", id: query.id ?? 0, flags, questions: [question], answers });
}

async function answersTo(
  question: Question,
  table: ReadonlyMap<string, number>,
  lookUp: LookUp,
  hostOf: HostOf,
): Promise<SrvAnswer[]> {
  const { name, type } = question;
  const [, service, domain] = /^(_xmpps?-server\._tcp)\.(.+)$/.exec(name.toLowerCase()) ?? [];
  if (type !== "SRV" || service === undefined || domain === undefined) return [];
  const answer = (data: SrvAnswer["data"]): SrvAnswer => ({ type, name, ttl: TTL_SECONDS, data });
  const own = domainOf(domain, table);
  if (own !== null) {
    const [served, port] = own;
    return service === SERVICE ? [answer({ priority: 0, weight: 0, port, target: hostOf(served) })] : [];
  }
  if (SPECIAL.test(domain)) return [];
  try {
    const records = await lookUp(`${service}.${domain}`);
    // An address as a target is not allowed (RFC 2782), and could lead back to this machine.
    const named = records.filter(({ name: host }) => HOST_NAME.test(host) && isIP(host) === 0);
    return named.slice(0, MAX_RECORDS).map((record) => answer({ ...record, target: record.name }));
  } catch {
    // No such record, or nobody to ask: ejabberd goes on with the domain's address and the standard port.
    return [];
  }
}

function decodeOrNull(message: Uint8Array): Packet | null {
  try {
    return decode(Buffer.from(message));
  } catch {
    // dns-packet throws errors of many kinds at what is no DNS message; all of them mean just that.
    return null;
  }
}
