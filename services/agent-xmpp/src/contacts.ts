/**
 * The agent as a contact in people's rosters (RFC 6121 §3 and §4): it accepts who subscribes to an existing user's agent,
 * subscribes back so that presence comes, and passes on the presence of addresses that are the user's own. It never tells
 * anyone's presence but its own, and keeps no roster: what it needs is at the user avatar.
 */
import { BoundedMap, type Reporter, type Standing, type Standings } from "@tidings/agent";
import type { Bus } from "@tidings/bus";
import {
  type Addresses,
  type Ask,
  bareJid,
  type Element,
  type PresenceReport,
  readError,
  splitJid,
  xml,
} from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { caps } from "./features.ts";
import { isProof } from "./handover.ts";
import { offlineReport, presenceReport } from "./presence.ts";
import { PresenceDamper } from "./presence-damper.ts";
import { Probes } from "./probes.ts";
import { Unreached } from "./unreached.ts";

/** For how long a request to see somebody's presence is remembered: people take their time to agree (milliseconds). */
const REQUEST_MS = 10 * 60_000;
const MAX_REQUESTS = 50_000;
const LOOK_EVERY_MS = 500;

export class Contacts {
  readonly #bus: Bus;
  readonly #addresses: Addresses;
  readonly #standings: Standings;
  readonly #reporter: Reporter;
  readonly #log: Log;
  readonly #probes: Probes;
  readonly #damper = new PresenceDamper();
  readonly #unreached = new Unreached();
  readonly #timer: NodeJS.Timeout;
  /** Requests that are not answered yet, by user and address, and whether the address was probed since. */
  readonly #requests = new BoundedMap<string, "open" | "probed">(MAX_REQUESTS);
  #order = 0;

  constructor(bus: Bus, addresses: Addresses, standings: Standings, reporter: Reporter, log: Log) {
    this.#bus = bus;
    this.#addresses = addresses;
    this.#standings = standings;
    this.#reporter = reporter;
    this.#log = log;
    this.#probes = new Probes((user, address) => this.#reportOffline(user, address));
    this.#timer = setInterval(() => this.#look(performance.now()), LOOK_EVERY_MS);
  }

  /** A presence stanza has come to the agent of a user. */
  async heard(presence: Element): Promise<void> {
    const { from, to, type } = presence.attrs as Record<string, string | undefined>;
    const user = splitJid(to ?? "").local;
    if (from === undefined || user === "") return;
    const address = bareJid(from);
    switch (type) {
      case "subscribe":
        return this.#subscribed(user, address, await this.#standings.of(user, address));
      case "unsubscribe":
        await this.#say(user, address, "unsubscribed");
        return this.#say(user, address, "unavailable");
      case "subscribed":
        this.#requests.delete(`${user} ${address}`);
        return;
      case "unsubscribed":
        await this.#requestAgain(user, address);
        return this.#passOn(user, address, presence, true);
      case "probe":
        return this.#probed(user, from, await this.#standings.of(user, address));
      case undefined:
      case "unavailable":
      case "error":
        return this.#passOn(user, address, presence, false);
    }
  }

  /** An avatar wants to know the presence of addresses; each gets a probe, and a report in any case. */
  ask({ user, addresses }: Ask): void {
    for (const address of addresses) {
      const request = `${user} ${address}`;
      if (this.#requests.get(request, Date.now()) !== undefined)
        this.#requests.set(request, "probed", REQUEST_MS, Date.now());
      this.#probes.began(user, address);
      void this.#say(user, address, "probe");
    }
  }

  /** The server of `address` has been started again: nobody there has said that they left. They are asked for anew. */
  lost(user: string, address: string): void {
    this.#reportOffline(user, address);
    this.ask({ user, addresses: [address] });
  }

  /** A new life of the agent begins: presence that waits is void. */
  beginAnew(): void {
    this.#damper.clear();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#probes.stop();
  }

  #look(nowMs: number): void {
    for (const report of this.#damper.due(nowMs)) this.#reporter.report(report);
    for (const { user, address } of this.#unreached.due(nowMs)) void this.#say(user, address, "probe");
  }

  /** An error that our own side made says nothing of the address but that its server is not there now. */
  #noteReach(user: string, address: string, presence: Element): void {
    if (presence.attrs.type === "error" && !isProof(readError(presence).condition))
      this.#unreached.add(user, address, performance.now());
    else this.#unreached.reached(user, address);
  }

  async #subscribed(user: string, address: string, standing: Standing): Promise<void> {
    if (standing === "noUser") return this.#say(user, address, "unsubscribed");
    await this.#say(user, address, "subscribed");
    await this.#sayAvailable(user, address);
    await this.#request(user, address);
  }

  #request(user: string, address: string): Promise<void> {
    this.#requests.set(`${user} ${address}`, "open", REQUEST_MS, Date.now());
    return this.#say(user, address, "subscribe");
  }

  /**
   * A server that is probed while its user has not yet agreed answers `unsubscribed` (RFC 6121 §4.3.2), and may drop the
   * request with it, as Prosody does: the user's consent would then come to nothing.
   */
  async #requestAgain(user: string, address: string): Promise<void> {
    const isLost = this.#requests.get(`${user} ${address}`, Date.now()) === "probed";
    if (isLost) await this.#request(user, address);
  }

  async #probed(user: string, from: string, standing: Standing): Promise<void> {
    if (standing === "noUser") return this.#say(user, bareJid(from), "unsubscribed");
    return this.#sayAvailable(user, from);
  }

  /** Reports presence of the user's own addresses; when the avatar cannot be asked now, it will judge the report itself. */
  async #passOn(user: string, address: string, presence: Element, isGone: boolean): Promise<void> {
    this.#order += 1;
    const order = this.#order;
    const report = isGone ? offlineReport(user, address, order) : presenceReport(presence, order);
    this.#probes.ended(user, address);
    if (report === null) return;
    if (!this.#isOwnAccount(user, address)) {
      const standing = await this.#standings.of(user, address).catch((error) => {
        this.#log.debug({ err: error, user }, "presence passed on unchecked");
        return "verified";
      });
      if (standing !== "verified") return;
    }
    this.#noteReach(user, address, presence);
    this.#report(report);
  }

  #report(report: PresenceReport): void {
    if (this.#damper.mayPass(report, performance.now())) this.#reporter.report(report);
  }

  #isOwnAccount(user: string, address: string): boolean {
    return address === `${user}@${this.#addresses.users}`;
  }

  #reportOffline(user: string, address: string): void {
    this.#order += 1;
    this.#report(offlineReport(user, address, this.#order));
  }

  #say(user: string, to: string, type: string): Promise<void> {
    return this.#bus.send(xml("presence", { from: this.#agentOf(user), to, type }));
  }

  #sayAvailable(user: string, to: string): Promise<void> {
    return this.#bus.send(xml("presence", { from: this.#agentOf(user), to }, caps()));
  }

  #agentOf(user: string): string {
    return `${user}@${this.#addresses.im}`;
  }
}
