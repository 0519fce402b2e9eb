/**
 * The reports for one shard, kept until the shard has them in its journal.
 *
 *     waiting: 4 5 6 …  ──batch──▶  in flight: a[1 2] b[3]  ──reported a──▶ gone
 *                                        └──no answer in 1 s, doubling to 30 s──▶ sent again, same id
 *
 * At most four batches are in flight, so under load reports gather into full batches. The order per user is kept: what
 * concerns a user waits while a batch with that user is in flight. Of several waiting presence reports of one resource
 * only the last is kept. When 10,000 wait, new ones are lost, and `isOverflowed` says so until `restart`.
 */
import { REPORT_BATCH, type Report } from "@tidings/protocol";
import { backOffMs } from "@tidings/runtime";

const MAX_WAITING = 10_000;
const MAX_IN_FLIGHT = 4;
/** Characters of one batch: with its markup far below what the servers take for a stanza (512 KB). */
const MAX_BATCH_CHARS = 60_000;
/** How far to look past reports whose user has to wait. */
const MAX_LOOK = 1_000;
const RESEND = { firstMs: 1_000, maxMs: 30_000 };

export interface Batch {
  readonly id: string;
  readonly agentEpoch: number;
  readonly reports: readonly Report[];
  tries: number;
  dueAt: number;
}

export class ReportLine {
  readonly #waiting = new Map<number, Report>();
  readonly #lastPresence = new Map<string, number>();
  readonly #inFlight = new Map<string, Batch>();
  readonly #newId: () => string;
  #agentEpoch: number;
  #count = 0;
  #isOverflowed = false;
  #isAnnounced = false;

  constructor(agentEpoch: number, newId: () => string) {
    this.#agentEpoch = agentEpoch;
    this.#newId = newId;
  }

  get agentEpoch(): number {
    return this.#agentEpoch;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Reports were lost since the last {@link restart}. */
  get isOverflowed(): boolean {
    return this.#isOverflowed;
  }

  /** The shard has the present epoch in its journal. */
  get isAnnounced(): boolean {
    return this.#isAnnounced;
  }

  add(report: Report): void {
    const key = presenceKey(report);
    if (key !== null) this.#waiting.delete(this.#lastPresence.get(key) ?? -1);
    if (this.#waiting.size >= MAX_WAITING) {
      this.#isOverflowed = true;
      return;
    }
    this.#count += 1;
    this.#waiting.set(this.#count, report);
    if (key !== null) this.#lastPresence.set(key, this.#count);
  }

  /** A new epoch begins: presence seen before is void, and the shard is told so first. */
  restart(agentEpoch: number): void {
    this.#agentEpoch = agentEpoch;
    this.#isOverflowed = false;
    this.#isAnnounced = false;
    const kept = [...this.#waiting.values()].filter(({ kind }) => kind === "delivery");
    this.#waiting.clear();
    this.#lastPresence.clear();
    for (const report of [{ kind: "agentUp" } as const, ...kept]) this.add(report);
  }

  /** The batches to send at `nowAt`: those due again, then new ones while fewer than four are in flight. */
  take(nowAt: number, random: () => number): Batch[] {
    const due = [...this.#inFlight.values()].filter((batch) => batch.dueAt <= nowAt);
    while (this.#inFlight.size < MAX_IN_FLIGHT) {
      const reports = this.#nextReports();
      if (reports.length === 0) break;
      const batch = { id: this.#newId(), agentEpoch: this.#agentEpoch, reports, tries: 0, dueAt: 0 };
      this.#inFlight.set(batch.id, batch);
      due.push(batch);
    }
    for (const batch of due) {
      batch.tries += 1;
      batch.dueAt = nowAt + backOffMs(batch.tries, RESEND, random());
    }
    return due;
  }

  /** The shard has batch `id`. False when it is not known (any more). */
  acknowledge(id: string): boolean {
    const batch = this.#inFlight.get(id);
    if (batch?.agentEpoch === this.#agentEpoch && batch.reports.some(({ kind }) => kind === "agentUp"))
      this.#isAnnounced = true;
    return this.#inFlight.delete(id);
  }

  #nextReports(): Report[] {
    const busy = new Set([...this.#inFlight.values()].flatMap(({ reports }) => reports.map(userOf)));
    const reports: Report[] = [];
    let looked = 0;
    let chars = 0;
    for (const [count, report] of this.#waiting) {
      looked += 1;
      if (reports.length === REPORT_BATCH || chars > MAX_BATCH_CHARS || looked > MAX_LOOK) break;
      if (busy.has(userOf(report))) continue;
      this.#waiting.delete(count);
      const key = presenceKey(report);
      if (key !== null) this.#lastPresence.delete(key);
      reports.push(report);
      chars += sizeOf(report);
    }
    return reports;
  }
}

function userOf(report: Report): string {
  return report.kind === "agentUp" ? "" : report.user;
}

/** About how long a report is as JSON: what strangers can make long in it, and the rest. */
function sizeOf(report: Report): number {
  if (report.kind === "presence") return 200 + report.address.length + report.resource.length;
  if (report.kind === "agentUp") return 50;
  return 250 + (report.text?.length ?? 0) + (report.did === undefined ? 0 : 200);
}

function presenceKey(report: Report): string | null {
  return report.kind === "presence" ? `${report.user} ${report.address}/${report.resource}` : null;
}
