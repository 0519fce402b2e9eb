import type { Log } from "@tidings/runtime";
import type { MonitorRows } from "@tidings/store";
import type { FleetRecord } from "./fleet-record.ts";

export interface RecordKeeping {
  readonly rows: Pick<MonitorRows, "keepRecord">;
  readonly record: Pick<FleetRecord, "text">;
  readonly leads: () => boolean;
  readonly log: Log;
}

/**
 * Keeps the record in the table as it is now, for whoever leads next. Whoever has been deposed keeps nothing, as it would write over
 * what its successor has kept. Never rejects: what could not be kept is kept with the next.
 */
export async function keepRecord({ rows, record, leads, log }: RecordKeeping): Promise<void> {
  if (!leads()) return;
  await rows
    .keepRecord(record.text)
    .catch((error: unknown) => log.warn({ err: error }, "the record was not kept"));
}
