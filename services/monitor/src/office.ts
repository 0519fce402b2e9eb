/**
 * A monitor in office: on the bus under the one address, hearing the hosts and acting. It lasts as long as the monitor leads; the
 * one that follows is not on the bus, so that no host and no operator speaks to it.
 */
import { type Bus, connectComponent } from "@tidings/bus";
import { addressesOf } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { MonitorRows } from "@tidings/store";
import { hear } from "./answer-calls.ts";
import type { MonitorConfig } from "./config.ts";
import type { Driver } from "./driver.ts";
import { FleetRecord } from "./fleet-record.ts";
import { keepRecord } from "./keep-record.ts";
import { Monitor } from "./monitor.ts";

const LOOK_EVERY_MS = 1_000;
const KEEP_RECORD_EVERY_MS = 300_000;

export interface OfficeOptions {
  readonly config: MonitorConfig;
  readonly password: string;
  readonly rows: MonitorRows;
  readonly driver: Driver | null;
  readonly leads: () => boolean;
  readonly log: Log;
}

export class Office {
  readonly #bus: Bus;
  readonly #timers: readonly NodeJS.Timeout[];
  readonly #keep: () => Promise<void>;

  private constructor(bus: Bus, monitor: Monitor, keep: () => Promise<void>) {
    [this.#bus, this.#keep] = [bus, keep];
    this.#timers = [
      setInterval(() => void monitor.look(), LOOK_EVERY_MS),
      setInterval(() => void keep(), KEEP_RECORD_EVERY_MS),
    ];
  }

  /** Takes office. Rejects when the table does not answer. */
  static async take({ config, password, rows, driver, leads, log }: OfficeOptions): Promise<Office> {
    const [kept, text] = await Promise.all([rows.least(), rows.record()]);
    const least = kept ?? config.least;
    const record = FleetRecord.read(text);
    const keep = () => keepRecord({ rows, record, leads, log });
    const monitor = new Monitor({
      driver,
      bounds: {
        least,
        most: Math.max(config.most, least),
        busyFrom: config.TIDINGS_HOSTS_BUSY_PERCENT / 100,
        idleMs: config.TIDINGS_HOSTS_IDLE_SECONDS * 1_000,
      },
      first: Math.max(wantedBy(record) ?? config.first, least),
      log,
      now: Date.now,
      keep: (asked) => rows.keepLeast(asked),
      mayAct: leads,
      record,
      onDecided: () => void keep(),
    });
    const addresses = addressesOf(config.TIDINGS_DOMAIN);
    const bus = connectComponent({ url: config.TIDINGS_BUS_URL, domain: addresses.monitor, password, log });
    hear({ bus, addresses, monitor, log });
    return new Office(bus, monitor, keep);
  }

  /** Leaves it, in order or because another one leads. */
  async leave(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all([this.#keep(), this.#bus.stop()]);
  }
}

/** How many hosts were wanted last, whoever led; null when nobody says, or none was: an alarm may be due that nobody remembers. */
function wantedBy({ decisions }: FleetRecord): number | null {
  return decisions.at(-1)?.wanted || null;
}
