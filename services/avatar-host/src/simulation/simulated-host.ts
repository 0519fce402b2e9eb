/** A host that crashes, stalls and is cut off. It takes and gives back shards by the real plan of ownership. */
import { FRAME_WINDOW } from "@tidings/protocol";
import { type Observed, observe, planRound } from "../ownership/plan.ts";
import type { Clock } from "../shard/clock.ts";
import { SimulatedShard } from "./simulated-shard.ts";
import type { World } from "./world.ts";

const HEARTBEAT_MS = 3_000;
const ROUND_MS = 3_000;
/** Frames that wait, above which a simulated shard stops its senders. */
const PRESSURE_FRAMES = 12;

export class SimulatedHost {
  readonly #name: string;
  readonly #world: World;
  readonly #clock: Clock;
  readonly #owned = new Map<number, SimulatedShard>();
  #observed: Observed[] = [];
  /** Counts its lives; 0 in none. */
  #life = 0;
  #isAlive = false;
  #stalledUntil = 0;
  #offBusUntil = 0;
  #offTableUntil = 0;
  #isOpening = 0;

  constructor(name: string, world: World) {
    this.#name = name;
    this.#world = world;
    this.#clock = {
      now: () => world.agenda.now,
      random: world.random,
      after: (delayMs, work) => this.#after(delayMs, work),
    };
  }

  get isOffBus(): boolean {
    return this.#world.agenda.now < this.#offBusUntil;
  }

  /** The shard, if this host believes that it owns it. */
  shard(number: number): SimulatedShard | undefined {
    return this.#owned.get(number);
  }

  start(): void {
    this.#life++;
    this.#isAlive = true;
    this.#observed = [];
    this.#isOpening = 0;
    this.#beat(0);
    this.#round();
  }

  /** Does `work` now, or when the host runs again; never, when it has died. */
  does(work: () => void): void {
    this.#after(0, work);
  }

  /** Something bad, chosen by `kind`, of a length by `extent` (both 0 to 1). */
  suffers(kind: number, extent: number): void {
    const until = this.#world.agenda.now + extent * 35_000;
    if (kind < 0.35) this.#crash(extent * 15_000);
    else if (kind < 0.6) this.#stalledUntil = until;
    else if (kind < 0.8) this.#offBusUntil = until;
    else this.#offTableUntil = until;
  }

  /** The trouble is over. */
  heal(): void {
    this.#offBusUntil = this.#offTableUntil = 0;
    if (!this.#isAlive) this.start();
  }

  #crash(restartInMs: number): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    for (const shard of this.#owned.values()) shard.close();
    this.#owned.clear();
    this.#world.agenda.after(restartInMs, () => {
      if (!this.#isAlive) this.start();
    });
  }

  #after(delayMs: number, work: () => void): () => void {
    const life = this.#life;
    let isOff = false;
    const run = () => {
      if (isOff || !this.#isAlive || life !== this.#life) return;
      const stalledMs = this.#stalledUntil - this.#world.agenda.now;
      if (stalledMs > 0) this.#world.agenda.after(stalledMs, run);
      else work();
    };
    const cancel = this.#world.agenda.after(delayMs, run);
    return () => {
      isOff = true;
      cancel();
    };
  }

  #beat(hb: number): void {
    if (!this.#isOffTable) this.#world.heartbeats.set(this.#name, { inc: String(this.#life), hb });
    this.#after(HEARTBEAT_MS, () => this.#beat(hb + 1));
  }

  get #isOffTable(): boolean {
    return this.#world.agenda.now < this.#offTableUntil;
  }

  #round(): void {
    this.#after(ROUND_MS * (0.8 + 0.4 * this.#world.random()), () => this.#round());
    if (this.#isOffTable || this.#isOpening > 0) return;
    const { leases, heartbeats, agenda } = this.#world;
    const now = agenda.now;
    const read = [...heartbeats].map(([host, beat]) => ({ host, place: host, isAble: true, ...beat }));
    this.#observed = observe(
      this.#observed,
      [...read, { host: "z", inc: "z", hb: now, place: "z", isAble: true }],
      now,
    );
    const me = { host: this.#name, inc: String(this.#life), isAble: true, unfitMs: 0 };
    const owned = new Set(this.#owned.keys());
    const { take } = planRound({ me, leases, hosts: this.#observed, owned, moving: new Set(), now });
    for (const shard of take) this.#take(shard, leases[shard]?.epoch ?? 0);
  }

  /** Between what it read and what it does others may be faster, at the lease, at the journal and at the router. */
  #take(number: number, read: number): void {
    const { leases, random } = this.#world;
    const epoch = read + 1;
    this.#isOpening++;
    this.#after(random() * 50, () => {
      const isMine = leases[number]?.epoch === read;
      if (isMine) {
        leases[number] = { shard: number, owner: { host: this.#name, inc: String(this.#life) }, epoch };
        this.#after(random() * 100, () => this.#open(number, epoch));
      } else this.#isOpening--;
    });
  }

  #open(number: number, epoch: number): void {
    this.#isOpening--;
    const world = this.#world;
    const rows = world.logs[number]?.fence(epoch) ?? null;
    if (rows === null) {
      this.#crash(100);
      return;
    }
    const shard: SimulatedShard = new SimulatedShard({
      number,
      epoch,
      rows,
      clock: this.#clock,
      flaw: world.setting.flaw,
      send: (to, message) => world.send(shard, this, to, message),
      append: (record, done) => this.#append(shard, record, done),
      onDeposed: () => this.#crash(1_000),
      credit: () => (shard.waiting > PRESSURE_FRAMES ? 0 : FRAME_WINDOW),
    });
    if (!world.claim(shard, this)) {
      this.#crash(100);
      return;
    }
    this.#owned.set(number, shard);
    shard.serve();
    for (let to = 0; to < world.setting.shards; to++)
      if (to !== number) world.send(shard, this, to, { kind: "up" });
  }

  /** A write arrives late, also when its host has died meanwhile; its reply may be lost, and then it is written again. */
  #append(
    shard: SimulatedShard,
    record: Parameters<ConstructorParameters<typeof SimulatedShard>[0]["append"]>[0],
    done: (isMine: boolean) => void,
  ): void {
    const { agenda, random, logs } = this.#world;
    const delayMs = Math.max(0, this.#offTableUntil - agenda.now) + random() * (random() < 0.1 ? 2_000 : 10);
    agenda.after(delayMs, () => {
      const isMine = logs[shard.number]?.append(shard.epoch, record) ?? false;
      this.#after(random() * 10, () => {
        if (random() < 0.05) this.#append(shard, record, done);
        else done(isMine);
      });
    });
  }
}
