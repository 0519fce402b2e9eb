/**
 * Which addresses may be fetched from. A feed's address comes from a stranger, and the network that Tidings runs in is not
 * theirs to look at: private, loopback, link-local, multicast and other special addresses (RFC 6890 and its successors) are
 * refused, and so are those that carry another address inside (IPv4-mapped, NAT64, 6to4, Teredo). What is checked is the
 * address that the socket connects to, so a name that answers differently the second time gains nothing.
 */
import type { LookupAddress, LookupOptions } from "node:dns";
import { BlockList, isIP } from "node:net";

/** Resolves a name to all its addresses, as `dns.lookup` with `all` does. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

export type LookupCallback = (
  error: Error | null,
  address: string | LookupAddress[],
  family?: number,
) => void;
export type Lookup = (hostname: string, options: LookupOptions, callback: LookupCallback) => void;

/** The address, or every address of the name, is none to fetch from. */
export class ForbiddenAddressError extends Error {
  override readonly name = "ForbiddenAddressError";
}

const SPECIAL_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** Only 2000::/3 is unicast on the public Internet (IANA); of it, these are special. */
const PUBLIC_IPV6 = ["2000::/3"];
const SPECIAL_IPV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const special = parseCidrs([...SPECIAL_IPV4, ...SPECIAL_IPV6]).list;
const publicIpv6 = parseCidrs(PUBLIC_IPV6).list;

/** Ports on which something else than the web answers, and where a request could be taken for a command. */
const FORBIDDEN_PORTS = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 138, 139, 143, 161, 162, 179, 389, 427, 445, 465, 512,
  513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 873, 989, 990, 993, 995, 1433,
  1521, 1719, 1720, 1723, 2049, 2375, 2376, 2379, 2380, 2525, 3306, 3389, 3659, 4045, 4190, 4369, 5060, 5061,
  5222, 5223, 5269, 5270, 5275, 5280, 5347, 5432, 5671, 5672, 5900, 5984, 6000, 6379, 6566, 6665, 6666, 6667,
  6668, 6669, 6679, 6697, 8086, 9042, 9092, 9200, 9300, 10080, 10250, 11211, 15671, 15672, 25565, 25672,
  27017, 61613, 61614,
]);

/** Reads networks in CIDR notation, or single addresses; `wrong` are those that are neither. */
export function parseCidrs(cidrs: readonly string[]): {
  readonly list: BlockList;
  readonly wrong: readonly string[];
} {
  const list = new BlockList();
  const wrong = cidrs.filter((cidr) => !addCidr(list, cidr));
  return { list, wrong };
}

export interface AddressGuard {
  /** Whether `address` (an IP address) may be connected to on `port`. */
  permits(address: string, port: number): boolean;
  /** Whether all addresses of `hostname` are in the exempted networks; false when it has none, or cannot be looked up. */
  exempts(hostname: string): Promise<boolean>;
  /** A `lookup` for `net.connect` that answers only with addresses permitted on `port`. */
  lookupFor(port: number): Lookup;
}

/** A guard that exempts the networks `allow` from every rule. `resolve` is asked once for each connection. */
export function createAddressGuard(allow: readonly string[], resolve: Resolve): AddressGuard {
  const allowed = parseCidrs(allow).list;
  const permits = (address: string, port: number) =>
    isListed(allowed, address) || (!FORBIDDEN_PORTS.has(port) && isPublic(address));
  return {
    permits,
    exempts: async (hostname) => {
      if (allow.length === 0) return false;
      const name = hostname.replace(/^\[|\]$/g, "");
      const addresses = isIP(name) === 0 ? await resolve(name).catch(() => []) : [{ address: name }];
      return addresses.length > 0 && addresses.every(({ address }) => isListed(allowed, address));
    },
    lookupFor: (port) => (hostname, options, callback) => {
      resolve(hostname).then(
        (addresses) =>
          answer(
            addresses.filter(({ address }) => permits(address, port)),
            hostname,
            options,
            callback,
          ),
        (error: Error) => callback(error, []),
      );
    },
  };
}

function answer(
  good: LookupAddress[],
  hostname: string,
  options: LookupOptions,
  callback: LookupCallback,
): void {
  const first = good[0];
  if (first === undefined)
    callback(new ForbiddenAddressError(`${hostname} has no address that may be fetched from`), []);
  else if (options.all) callback(null, good);
  else callback(null, first.address, first.family);
}

function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 0 || isListed(special, address)) return false;
  return family === 4 || isListed(publicIpv6, address);
}

function isListed(list: BlockList, address: string): boolean {
  const plain = address.replace(/%.*$/, "");
  const family = isIP(plain);
  return family !== 0 && list.check(plain, family === 4 ? "ipv4" : "ipv6");
}

function addCidr(list: BlockList, cidr: string): boolean {
  const [address = "", prefix] = cidr.split("/");
  const family = isIP(address);
  if (family === 0) return false;
  const widest = family === 4 ? 32 : 128;
  const bits = prefix === undefined ? widest : Number(/^\d{1,3}$/.test(prefix) ? prefix : Number.NaN);
  if (!(bits <= widest)) return false;
  list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  return true;
}
