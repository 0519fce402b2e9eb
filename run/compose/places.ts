/** What the containers of docker-compose.yml agree on: names, ports, and where things lie. */
import { type Role, roleDomain } from "../ejabberd/roles.ts";

/** Made once by `set-up.ts`, for all containers: certificates, secrets, the nodes' configuration. */
export const SHARED = "/shared";
/** Of one container, outlives it. */
export const DATA = "/data";
/** All of a container's own network: what the outside reaches says docker-compose.yml. */
export const ANY_ADDRESS = "0.0.0.0";

export const PORTS = {
  client: 5_222,
  component: 5_347,
  s2s: 5_269,
  srv: 5_300,
  epmd: 4_369,
  amqp: 5_672,
  amqpDistribution: 25_672,
  web: 8_080,
  smtp: 2_525,
  metrics: 9_464,
} as const;

export const NODE_PORTS = {
  users: { c2s: PORTS.client, s2s: PORTS.s2s },
  agents: { component: PORTS.component, s2s: PORTS.s2s },
  avatars: { component: PORTS.component, s2s: PORTS.s2s },
  srv: PORTS.srv,
  epmd: PORTS.epmd,
} as const;

/** The container of the ejabberd node of `role`. */
export function nodeHost(role: Role): string {
  return `ejabberd-${role}`;
}

/** The container that serves a cluster's domain. Throws when none does. */
export function hostOfDomain(served: string, domain: string): string {
  const role = (["users", "agents", "avatars"] as const).find((one) => roleDomain(one, domain) === served);
  if (role === undefined) throw new Error(`no container serves ${served}`);
  return nodeHost(role);
}

/** The base domain of the installation. */
export function domainIn(env: NodeJS.ProcessEnv): string {
  return env.TIDINGS_DOMAIN || "tidings.localhost";
}

/** File with the password of RabbitMQ's user. */
export const AMQP_PASSWORD_FILE = `${SHARED}/secrets/amqp`;
