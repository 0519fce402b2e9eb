/**
 * Whoever starts and stops avatar hosts for the monitor: processes on this machine, or whatever else can run one. Each host has
 * a name of its own, `h1` to `h16`. What fails rejects with DriverError, and may be asked for again: nothing is done twice.
 */
export interface Driver {
  /** The hosts that were started and have not ended. */
  list(): Promise<readonly RunningHost[]>;
  /** Has the host started; resolves when that has begun. Does nothing when it runs or starts. Rejects while it stops. */
  start(name: string): Promise<void>;
  /**
   * Has the host give its shards away and end; resolves when that has begun. By force when it has not ended after a time of
   * the driver's own. Does nothing when it does not run, or stops.
   */
  stop(name: string): Promise<void>;
}

export interface RunningHost {
  readonly name: string;
  readonly state: "starting" | "running" | "stopping";
}

export class DriverError extends Error {
  override readonly name = "DriverError";
}
