/** What a hundred thousand alarms of one shard cost while none is due: rows in its file, and one timer. In this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { silentLog } from "@tidings/runtime";
import { LocalFile } from "../packages/store/src/local-file.ts";
import { Alarms } from "../services/avatar-host/src/shard/alarms.ts";
import type { Figure } from "./figures.ts";

const ALARMS = 100_000;
const SHARD = "_0";
const IDLE_MS = 3_000;
const AT_ONCE = 10_000;

export async function measureAlarms(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "tidings-bench-"));
  const file = LocalFile.open(join(folder, "shard.db"), "bench", silentLog());
  let rung = 0;
  const alarms = new Alarms(SHARD, file, () => rung++);
  try {
    const inAnHour = Date.now() + 3_600_000;
    for (let first = 0; first < ALARMS; first += AT_ONCE) {
      const rows = Array.from({ length: AT_ONCE }, (_, at) =>
        alarms.rows(`user${first + at}`, { from: null, to: inAnHour + first + at }),
      );
      file.apply(rows.flat(), { epoch: 1, seq: first / AT_ONCE + 1 });
    }
    const heapBefore = process.memoryUsage().heapUsed;
    const startedAt = performance.now();
    alarms.schedule();
    const lookMs = performance.now() - startedAt;
    const heapKb = (process.memoryUsage().heapUsed - heapBefore) / 1_000;
    const before = process.cpuUsage();
    await pause(IDLE_MS);
    const { user, system } = process.cpuUsage(before);
    if (rung > 0) throw new Error(`${rung} alarms rang an hour early`);
    return [
      { name: `first look at ${ALARMS} alarms`, value: lookMs, unit: "ms" },
      { name: "heap that they take", value: heapKb, unit: "KB" },
      {
        name: "processor time while none is due",
        value: (user + system) / IDLE_MS,
        unit: "ms/s",
        beside: "of the whole process, which does nothing else",
      },
    ];
  } finally {
    alarms.close();
    file.close();
    rmSync(folder, { recursive: true });
  }
}
