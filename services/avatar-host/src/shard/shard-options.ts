import type { AddressedEvent, AgentChannel, Element, Job } from "@tidings/protocol";
import type { ShardStoreOptions } from "@tidings/store";
import type { Avatar } from "./avatar.ts";
import type { AwakeAvatars } from "./awake-avatars.ts";
import type { Shard } from "./shard.ts";

/** Above either of them a shard takes nothing more than it must. */
export interface ShardBounds {
  /** Staged characters that are not yet in the journal. */
  readonly backlogChars: number;
  /** Frames that nobody has acknowledged. */
  readonly outboxFrames: number;
}

export const SHARD_BOUNDS: ShardBounds = { backlogChars: 4_000_000, outboxFrames: 2_000 };

/** What a shard needs of the host that serves it. */
export interface ShardOptions extends Omit<ShardStoreOptions<AddressedEvent>, "onSeal"> {
  /** The name of the host, such as h1. */
  readonly host: string;
  /** Domain of the silo, in which the shard and its avatars are addressed. */
  readonly siloDomain: string;
  /** The address of the agent for each channel. */
  readonly agents: Readonly<Record<AgentChannel, string>>;
  /** Domain of web-api, through which operators call a shard. */
  readonly web: string;
  readonly send: (stanza: Element) => void;
  readonly publishJob: (job: Job) => void;
  /** Makes the avatar for a localpart, asleep in its rows until now. */
  readonly createAvatar: (localpart: string, shard: Shard) => Avatar;
  /** The awake avatars of all shards of the host. */
  readonly awake: AwakeAvatars;
  /** {@link SHARD_BOUNDS} when not given. */
  readonly bounds?: ShardBounds;
}
