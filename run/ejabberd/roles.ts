import { addressesOf, hostAddress, MOST_HOSTS } from "@tidings/protocol";

/** The three federated clusters, one ejabberd node each on one machine. */
export type Role = "users" | "agents" | "avatars";

export const ROLES: readonly Role[] = ["users", "agents", "avatars"];

/** Most avatar hosts that can connect at a time: each has a component password from the start. */
export const MAX_HOSTS = MOST_HOSTS;

/** The domain that the cluster itself bears. */
export function roleDomain(role: Role, domain: string): string {
  return addressesOf(domain)[role];
}

/** The domains of the components that may connect to the cluster, each with a password of its own. */
export function componentDomains(role: Role, domain: string): string[] {
  const { monitor, agents } = addressesOf(domain);
  if (role === "users") return [];
  if (role === "agents")
    return ["im", "sms", "mail", "webhook", "web", "inbound"].map((agent) => `${agent}.${agents}`);
  const hosts = Array.from({ length: MAX_HOSTS }, (_, index) => hostAddress(domain, `h${index + 1}`));
  return [monitor, ...hosts];
}

/** The names in the cluster's certificate: each level that components stand on has its wildcard (RFC 6125 §6.4.3). */
export function certificateNames(role: Role, domain: string): string[] {
  const own = roleDomain(role, domain);
  if (role === "users") return [own];
  return role === "agents" ? [own, `*.${own}`] : [own, `*.${own}`, `*.hosts.${own}`];
}
