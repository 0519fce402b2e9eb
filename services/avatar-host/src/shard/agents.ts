/**
 * The agents as a shard knows them: which life each of them is in, and who has to be told that a new one has begun.
 *
 *     agent/<channel>  the epoch of the agent's present life
 */
import { AGENT_CHANNELS, type AgentChannel } from "@tidings/protocol";
import type { Background } from "@tidings/runtime";
import type { Row } from "@tidings/store";
import { AGENT_UP_SPREAD_MS, PresenceRound } from "./presence-round.ts";
import type { Stimulus } from "./stimulus.ts";
import type { RowReader } from "./turn.ts";

/** Key of the shard's row with the epoch of the present life of the agent for `channel`. */
export function agentKey(channel: AgentChannel): string {
  return `agent/${channel}`;
}

/** Over how long the avatars of a shard that was taken over repeat what its last owner may not have sent (milliseconds). */
const CLAIMED_SPREAD_MS = 1_000;

export interface AgentsOptions {
  /** The shard's own localpart. */
  readonly self: string;
  readonly reader: RowReader;
  /** Gives each of the avatars a turn for this. */
  readonly give: (users: readonly string[], stimulus: () => Stimulus) => void;
  readonly background: Pick<Background, "run">;
}

export class Agents {
  readonly #options: AgentsOptions;
  readonly #epochs = new Map<AgentChannel, number>();
  #connections = 0;
  readonly #rounds: ReadonlyMap<AgentChannel, PresenceRound>;

  constructor(options: AgentsOptions) {
    this.#options = options;
    const { self, reader, give, background } = options;
    const roundFor = (channel: AgentChannel) =>
      new PresenceRound(self, reader, (users) => give(users, () => this.#isUp(channel)), background);
    this.#rounds = new Map(AGENT_CHANNELS.map((channel) => [channel, roundFor(channel)]));
  }

  /** The epoch of the present life of the agent for `channel`, as far as the shard knows; 0 when none has ever spoken. */
  epochOf(channel: AgentChannel): number {
    const known = this.#epochs.get(channel);
    if (known !== undefined) return known;
    const epoch = Number(this.#options.reader.get(this.#options.self, agentKey(channel)) ?? 0);
    this.#epochs.set(channel, epoch);
    return epoch;
  }

  /** The agent lives anew. The row that says so has to be written by the caller, and then {@link begin} to be called. */
  note(channel: AgentChannel, epoch: number): Row {
    this.#epochs.set(channel, epoch);
    return { avatar: this.#options.self, key: agentKey(channel), value: String(epoch) };
  }

  /** All who wait for something are told of the new life. */
  begin(channel: AgentChannel): void {
    this.#rounds.get(channel)?.start(AGENT_UP_SPREAD_MS);
  }

  /**
   * Grows when the host comes on the bus, and again when its claim is taken there: what was said before may be lost, for
   * nobody hears a host that is off the bus, nor one that speaks for a shard it has not claimed yet.
   */
  connection(): number {
    return this.#connections;
  }

  /** The host has come on the bus (again). */
  isOnline(): void {
    this.#connections++;
  }

  /**
   * The shard is claimed on the bus (again). What was dispatched and asked before may be lost: who waits for something is
   * told of all agents, spread over a second.
   */
  isClaimed(): void {
    this.#connections++;
    for (const channel of AGENT_CHANNELS)
      if (channel === "im" || this.epochOf(channel) > 0) this.#rounds.get(channel)?.start(CLAIMED_SPREAD_MS);
  }

  close(): void {
    for (const round of this.#rounds.values()) round.close();
  }

  #isUp(channel: AgentChannel): Stimulus {
    return { kind: "reports", reports: [{ kind: "agentUp" }], channel, agentEpoch: this.epochOf(channel) };
  }
}
