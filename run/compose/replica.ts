/** Which of the containers of its service this one is. */
import { resolvePtr } from "node:dns/promises";
import { networkInterfaces } from "node:os";

/**
 * The number of this container among those of its service, from 1: Compose calls them `<project>-<service>-<number>`, and its
 * name server knows them by their addresses. Rejects outside of such a network.
 */
export async function replicaNumber(service: string): Promise<number> {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .flatMap((one) => (one === undefined || one.internal || one.family !== "IPv4" ? [] : [one.address]));
  for (const address of addresses) {
    // Asked by name: a look-up of the address would find the short name in /etc/hosts and stop there.
    const names = await resolvePtr(`${address.split(".").reverse().join(".")}.in-addr.arpa`).catch(() => []);
    for (const name of names) {
      const number = numberIn(name, service);
      if (number !== null) return number;
    }
  }
  throw new Error(`no name of this container says which ${service} it is; set TIDINGS_HOST_NAME`);
}

/** The number in a container's name; null when it is not of that form. */
export function numberIn(name: string, service: string): number | null {
  const [, number] = new RegExp(`[-_]${service}[-_](\\d+)(\\.|$)`).exec(name) ?? [];
  return number === undefined ? null : Number(number);
}
