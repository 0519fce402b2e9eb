/**
 * Who is reached at which JID. A JID never tells where an avatar runs: the localpart maps to a shard,
 * and the shard to whichever avatar host owns it now.
 */
import { crc32 } from "node:zlib";

/** Number of shards of a silo: the unit of ownership, storage and hand-over. Fixed for the life of a silo. */
export const SHARDS = 64;

/** The silo that an installation starts with. */
export const FIRST_SILO = "s1";

/** A shard's number, 0 … 63. */
export type Shard = number;

export interface Addresses {
  /** The users cluster and the domain of people's IM accounts. */
  readonly users: string;
  readonly agents: string;
  readonly avatars: string;
  readonly silo: string;
  readonly monitor: string;
  readonly im: string;
  readonly sms: string;
  readonly email: string;
  readonly webhook: string;
  readonly web: string;
  /** ingest-email, which asks whether an inbound address is there. */
  readonly inbound: string;
}

/** All fixed addresses of an installation with the base domain `domain`. */
export function addressesOf(domain: string, silo: string = FIRST_SILO): Addresses {
  return {
    users: domain,
    agents: `agents.${domain}`,
    avatars: `avatars.${domain}`,
    silo: `${silo}.avatars.${domain}`,
    monitor: `monitor.avatars.${domain}`,
    im: `im.agents.${domain}`,
    sms: `sms.agents.${domain}`,
    email: `mail.agents.${domain}`,
    webhook: `webhook.agents.${domain}`,
    web: `web.agents.${domain}`,
    inbound: `inbound.agents.${domain}`,
  };
}

/** The channels that an agent serves, each under an address of its own. */
export const AGENT_CHANNELS = ["im", "sms", "email", "webhook"] as const;
export type AgentChannel = (typeof AGENT_CHANNELS)[number];

/** Whether an agent serves `channel`. */
export function isAgentChannel(channel: string): channel is AgentChannel {
  return (AGENT_CHANNELS as readonly string[]).includes(channel);
}

/** The channel whose agent speaks from `domain`; null when none does. */
export function channelOfAgent(addresses: Addresses, domain: string): AgentChannel | null {
  return AGENT_CHANNELS.find((channel) => addresses[channel] === domain) ?? null;
}

/** The component domain of the avatar host `name`, such as `h1.hosts.avatars.tidings.localhost`. */
export function hostAddress(domain: string, name: string): string {
  return `${name}.hosts.avatars.${domain}`;
}

/**
 * The shard of an avatar, crc32(localpart) mod 64; `_17` addresses shard 17 itself. The Erlang module computes the
 * same (erlang:crc32 equals zlib's).
 */
export function shardOf(localpart: string): Shard {
  return shardNamed(localpart) ?? crc32(localpart) % SHARDS;
}

/** The localpart under which a shard itself is reached, such as `_17`. */
export function shardLocalpart(shard: Shard): string {
  return `_${shard}`;
}

/** The number in a shard's own localpart, or null when `localpart` names an avatar. */
export function shardNamed(localpart: string): Shard | null {
  const digits = /^_(\d{1,2})$/.exec(localpart)?.[1];
  if (digits === undefined) return null;
  const shard = Number(digits);
  return shard < SHARDS ? shard : null;
}

/** The parts of a JID (RFC 7622 §3.1), without normalisation: what arrives from a server is normalised already. */
export function splitJid(jid: string): { local: string; domain: string; resource: string } {
  const slash = jid.indexOf("/");
  const bare = slash < 0 ? jid : jid.slice(0, slash);
  const at = bare.indexOf("@");
  return {
    local: at < 0 ? "" : bare.slice(0, at),
    domain: at < 0 ? bare : bare.slice(at + 1),
    resource: slash < 0 ? "" : jid.slice(slash + 1),
  };
}

/** `jid` without its resource. */
export function bareJid(jid: string): string {
  const slash = jid.indexOf("/");
  return slash < 0 ? jid : jid.slice(0, slash);
}

const RESERVED_NAMES = new Set([
  "admin",
  "administrator",
  "root",
  "postmaster",
  "abuse",
  "tidings",
  "system",
]);

/**
 * Why `name` cannot be a user name, as a sentence that says what to do; null when it can. Names hold no dot, because a
 * dot marks the localpart of a source avatar, and no character that RFC 8265 (PRECIS) would map to another.
 */
export function userNameProblem(name: string): string | null {
  if (name.length < 2 || name.length > 32) return "A name has 2 to 32 characters.";
  if (name !== name.toLowerCase()) return `A name is in lower case; "${name.toLowerCase()}" may be free.`;
  if (name.includes(".")) return "A name holds no dot; use a hyphen instead.";
  if (!/^[a-z][a-z0-9-]*[a-z0-9]$/.test(name)) {
    return "A name holds the letters a to z, digits and hyphens; it begins with a letter and does not end in a hyphen.";
  }
  return RESERVED_NAMES.has(name) ? "This name is reserved; choose another." : null;
}
