import type { Bus } from "@tidings/bus";
import { type Addresses, CallError, userNameProblem } from "@tidings/protocol";
import { BoundedMap } from "./bounded-map.ts";

export type Standing = "verified" | "unverified" | "stranger" | "noUser";

const MAX_KNOWN = 50_000;
const MAX_ASKING = 5_000;
const VERIFIED_MS = 60_000;
/** What may change at any moment, because the user is just linking the address, is believed for a short time only. */
const OTHER_MS = 5_000;
const ASK_TIMEOUT_MS = 5_000;

/** What an address is to a user, as the user's avatar says; remembered for a short while. */
export class Standings {
  readonly #bus: Bus;
  readonly #addresses: Addresses;
  readonly #known = new BoundedMap<string, Standing>(MAX_KNOWN);
  readonly #asking = new Map<string, Promise<Standing>>();

  constructor(bus: Bus, addresses: Addresses) {
    this.#bus = bus;
    this.#addresses = addresses;
  }

  /**
   * The standing of the bare JID `address` with `user`. With `fresh`, only `verified` is taken from memory. Rejects with
   * CallError of type `wait` when the avatar does not answer, or when too many are being asked.
   */
  async of(user: string, address: string, fresh = false): Promise<Standing> {
    if (userNameProblem(user) !== null) return "noUser";
    const key = `${user} ${address}`;
    const known = this.#known.get(key, Date.now());
    if (known !== undefined && (!fresh || known === "verified")) return known;
    const asking = this.#asking.get(key);
    if (asking !== undefined) return asking;
    if (this.#asking.size >= MAX_ASKING)
      throw new CallError("wait", "resource-constraint", "Too much at once.");
    const answer = this.#ask(key, user, address).finally(() => this.#asking.delete(key));
    this.#asking.set(key, answer);
    return answer;
  }

  /** The standing changed: ask again next time. */
  forget(user: string, address: string): void {
    this.#known.delete(`${user} ${address}`);
  }

  async #ask(key: string, user: string, address: string): Promise<Standing> {
    const { standing } = await this.#bus.call({
      from: this.#bus.address,
      to: `${user}@${this.#addresses.silo}`,
      name: "addressStanding",
      args: { address },
      authority: null,
      timeoutMs: ASK_TIMEOUT_MS,
    });
    this.#known.set(key, standing, standing === "verified" ? VERIFIED_MS : OTHER_MS, Date.now());
    return standing;
  }
}
