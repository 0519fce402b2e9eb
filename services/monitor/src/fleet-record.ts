/**
 * How the fleet did in the last hour, day and week, and what was decided: what the monitor measures, gathered into samples that get
 * coarser with age. It is small enough to be kept as one item of the table, and is there again when another monitor leads.
 */
import {
  FleetDecision,
  FleetSample,
  type HostLoad,
  MalformedError,
  parseAs,
  type RecordRange,
} from "@tidings/protocol";
import Type from "typebox";

/** How far apart samples are, and how many are kept. */
const RANGES: Readonly<Record<RecordRange, { readonly everyMs: number; readonly most: number }>> = {
  "1h": { everyMs: 15_000, most: 240 },
  "24h": { everyMs: 300_000, most: 288 },
  "7d": { everyMs: 1_800_000, most: 336 },
};
const NAMES = Object.keys(RANGES) as RecordRange[];

const MOST_DECISIONS = 100;

const Samples = Type.Object({
  "1h": Type.Array(FleetSample),
  "24h": Type.Array(FleetSample),
  "7d": Type.Array(FleetSample),
});
const Kept = Type.Object({ ranges: Samples, decisions: Type.Array(FleetDecision) });

export class FleetRecord {
  #ranges: Record<RecordRange, FleetSample[]> = { "1h": [], "24h": [], "7d": [] };
  #decisions: FleetDecision[] = [];

  /** What was kept; what cannot be read is forgotten. */
  static read(text: string | null): FleetRecord {
    const record = new FleetRecord();
    if (text === null) return record;
    try {
      const { ranges, decisions } = parseAs(Kept, text, "record of the fleet");
      [record.#ranges, record.#decisions] = [ranges, decisions];
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
    }
    return record;
  }

  /** To be kept. */
  get text(): string {
    return JSON.stringify({ ranges: this.#ranges, decisions: this.#decisions });
  }

  /** Oldest first. */
  get decisions(): readonly FleetDecision[] {
    return this.#decisions;
  }

  decide(decision: FleetDecision): void {
    this.#decisions.push(decision);
    if (this.#decisions.length > MOST_DECISIONS) this.#decisions.shift();
  }

  of(range: RecordRange): readonly FleetSample[] {
    return this.#ranges[range];
  }

  /** The hosts that serve have these loads at `at` (epoch milliseconds). */
  add(loads: readonly HostLoad[], at: number): void {
    for (const name of NAMES) {
      const { everyMs, most } = RANGES[name];
      const samples = this.#ranges[name];
      const last = samples.at(-1);
      // A clock that went back begins anew.
      if (last !== undefined && at >= last.at && at - last.at < everyMs) continue;
      samples.push(sampleOf(loads, at));
      if (samples.length > most) samples.shift();
    }
  }
}

function sampleOf(loads: readonly HostLoad[], at: number): FleetSample {
  const sum = (figure: (load: HostLoad) => number) => loads.reduce((total, load) => total + figure(load), 0);
  const most = (figure: (load: HostLoad) => number) => Math.max(0, ...loads.map(figure));
  return {
    at,
    hosts: loads.length,
    shards: sum(({ shards }) => shards.length),
    awakeAvatars: sum(({ awakeAvatars }) => awakeAvatars),
    commitsPerSecond: rounded(sum(({ commitsPerSecond }) => commitsPerSecond)),
    busy: rounded(most(({ busy }) => busy)),
    loopDelayMs: rounded(most(({ loopDelayMs }) => loopDelayMs)),
    residentBytes: sum(({ residentBytes }) => residentBytes),
    framesWaiting: sum(({ framesWaiting }) => framesWaiting),
  };
}

/** The item must stay below DynamoDB's 400 KB. */
function rounded(figure: number): number {
  return Math.round(figure * 1_000) / 1_000;
}
