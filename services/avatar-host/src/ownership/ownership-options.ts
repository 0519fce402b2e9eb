import type { Log } from "@tidings/runtime";
import type { Leases, TenureStep } from "@tidings/store";
import type { Clocks } from "./vigil.ts";

/** What the host does for a shard; the lease is the ownership's own matter. */
export type HostStep = Exclude<TenureStep, "take" | "serving" | "clear" | "over">;

export interface OwnershipOptions {
  readonly leases: Leases;
  readonly host: string;
  /** Machine and folder that the host runs in. */
  readonly place: string;
  readonly log: Log;
  /** Carries out a step for a shard with the epoch that was taken for it; rejects when it has failed. */
  readonly perform: (step: HostStep, shard: number, epoch: number) => Promise<void>;
  /** This process must end: another one has its name or its shards, or the table refuses. `reason` says what to do. */
  readonly onEnd: (reason: string) => void;
  /** The epoch above which a claim on the shard has to be, as far as the bus has said. */
  readonly floor: (shard: number) => number;
  /** Shards for which something waits at the router, as far as that can be told; does not reject. */
  readonly awaited?: () => Promise<ReadonlySet<number>>;
  /** Throws when a shard could not be opened now; asked with each heartbeat, and before the host takes any again after one could not. */
  readonly probe?: () => void;
  readonly clocks?: Clocks;
}
