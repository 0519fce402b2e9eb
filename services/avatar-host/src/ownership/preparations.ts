/**
 * Reading ahead of a hand-over: the host that gives a shard back names the avatars whose histories are long, and the one that
 * will have it reads them from the checkpoints while they are still served. It is a favour: where it fails or is late, they are
 * read when they are woken, as all others are.
 *
 *     giver ──<prepare shard="17"> avatars──▶ heir reads ──result──▶ giver pauses, seals, frees ──▶ heir opens with what it has read
 */
import type { Bus } from "@tidings/bus";
import {
  type Addresses,
  busChild,
  CallError,
  type Element,
  hostAddress,
  integerAttribute,
  MalformedError,
  PREPARE,
  Preparation,
  payloadOf,
  prepareStanza,
  refusalStanza,
  SHARDS,
  splitJid,
  xml,
} from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { PreparedRows, type Table } from "@tidings/store";

/** Most shards that are prepared at a time; a giver has four under way. */
const MOST = 16;
/** What is kept of one shard (bytes). */
const MOST_BYTES = 8_000_000;
/** What nobody has taken by then was not given (milliseconds). */
const KEPT_MS = 15_000;

export interface PreparationsOptions {
  readonly bus: Pick<Bus, "send" | "request">;
  readonly addresses: Addresses;
  readonly domain: string;
  /** The host's own address. */
  readonly address: string;
  readonly table: Table;
  readonly silo: string;
  readonly log: Log;
}

export class Preparations {
  readonly #options: PreparationsOptions;
  readonly #prepared = new Map<number, { readonly rows: PreparedRows; readonly timer: NodeJS.Timeout }>();

  constructor(options: PreparationsOptions) {
    this.#options = options;
  }

  /** Has the host named `heir` read `avatars` of `shard`; resolves when it has. Rejects with CallError. */
  async ask(heir: string, shard: number, avatars: readonly string[]): Promise<void> {
    const { bus, address, domain } = this.#options;
    await bus.request(prepareStanza(address, hostAddress(domain, heir), shard, [...avatars]));
  }

  /** Answers `stanza` when it asks for a preparation and comes from a host; false when it is something else. */
  answer(stanza: Element): boolean {
    const { bus, addresses, log } = this.#options;
    const { from = "", to = "", id = "", type } = stanza.attrs as Record<string, string | undefined>;
    const child = busChild(stanza);
    if (!stanza.is("iq") || type !== "get" || child?.name !== PREPARE) return false;
    if (!splitJid(from).domain.endsWith(`.hosts.${addresses.avatars}`)) return false;
    this.#prepare(child)
      .then(() => xml("iq", { type: "result", from: to, to: from, id }))
      .catch((error: Error) => refusalStanza(to, from, id, refusalOf(error)))
      .then((answer) => bus.send(answer))
      .catch((error) => log.warn({ err: error }, "answer was not sent"));
    return true;
  }

  /** What was read of `shard`, for the one who opens it now; undefined when nothing was. */
  take(shard: number): PreparedRows | undefined {
    const prepared = this.#prepared.get(shard);
    this.#prepared.delete(shard);
    clearTimeout(prepared?.timer);
    return prepared?.rows;
  }

  async #prepare(asked: Element): Promise<void> {
    const { table, silo } = this.#options;
    const shard = integerAttribute(asked, "shard");
    if (shard >= SHARDS) throw new MalformedError(`there is no shard ${shard}`);
    const { avatars } = payloadOf(Preparation, asked, PREPARE);
    this.take(shard)?.giveUp();
    if (this.#prepared.size >= MOST)
      throw new CallError("wait", "resource-constraint", `${MOST} shards are being prepared`);
    const rows = new PreparedRows(table, silo, shard, MOST_BYTES);
    const timer = setTimeout(() => this.take(shard)?.giveUp(), KEPT_MS).unref();
    this.#prepared.set(shard, { rows, timer });
    await rows.read(avatars);
  }
}

function refusalOf(error: Error): CallError {
  if (error instanceof CallError) return error;
  if (error instanceof MalformedError) return new CallError("modify", "bad-request", error.message);
  return new CallError("wait", "internal-server-error", error.message);
}
