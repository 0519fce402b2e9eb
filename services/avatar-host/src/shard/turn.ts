/**
 * One turn of an avatar: it reads its rows, and says what is to change and what is to happen. Nothing of it is visible
 * before the turn has ended without an error, and no effect leaves the host before the journal has the commit.
 */
import type { AddressedEvent, AgentChannel, Ask, AvatarEvent, Dispatch, Job } from "@tidings/protocol";
import type { Entry, Range, Row } from "@tidings/store";

/** What a turn reads from: the store of the shard. */
export interface RowReader {
  get(avatar: string, key: string): string | undefined;
  list(avatar: string, range: Range): Entry[];
}

/** A dispatch, and whose it is to carry out. */
export interface AgentDispatch {
  readonly channel: AgentChannel;
  readonly dispatch: Dispatch;
}

/** Key of the row that holds an avatar's alarm, epoch milliseconds. */
export const ALARM = "alarm";

const REMEMBERED = new Set(["core", "presence", "source", "rules", "sms", "watched", ALARM]);

export class Turn {
  readonly avatar: string;
  /** Epoch milliseconds: the only clock of a turn. */
  readonly nowAt: number;
  readonly told: AddressedEvent[] = [];
  readonly dispatches: AgentDispatch[] = [];
  readonly asks: Ask[] = [];
  readonly jobs: Job[] = [];
  readonly effects: (() => void)[] = [];
  /** Why it was decided so, as fields of log lines: asked for only where somebody reads them. */
  readonly reasons: (() => Readonly<Record<string, unknown>>)[] = [];
  /** Whether presence reports are wanted from now on; null leaves it as it was. */
  watch: boolean | null = null;
  /** True when the avatar has more to do and wants another turn after this commit. */
  wantsAnother = false;
  readonly #reader: RowReader;
  readonly #written = new Map<string, string | null>();
  readonly #memory: Map<string, unknown>;
  #alarm: { readonly from: number | null; readonly to: number | null } | null = null;

  /** `memory` holds parsed rows of the avatar from one turn to the next while it is awake; see {@link isRemembered}. */
  constructor(avatar: string, reader: RowReader, nowAt: number, memory: Map<string, unknown> = new Map()) {
    this.avatar = avatar;
    this.#memory = memory;
    this.#reader = reader;
    this.nowAt = nowAt;
  }

  /** The text of a row, as this turn has left it. */
  text(key: string): string | undefined {
    const written = this.#written.get(key);
    return written === undefined ? this.#reader.get(this.avatar, key) : (written ?? undefined);
  }

  /** The JSON value of a row. Rows are written by this code alone, so their shape is trusted. */
  get<T>(key: string): T | undefined {
    if (this.#memory.has(key)) return this.#memory.get(key) as T | undefined;
    const text = this.text(key);
    const value = text === undefined ? undefined : (JSON.parse(text) as T);
    if (isRemembered(key)) this.#memory.set(key, value);
    return value;
  }

  /** Rows of `range` as they were before this turn; what this turn writes is not among them. */
  list(range: Range): Entry[] {
    return this.#reader.list(this.avatar, range);
  }

  /** Writes a row. `value` must not change afterwards. */
  put(key: string, value: unknown): void {
    if (isRemembered(key)) this.#memory.set(key, value);
    this.#written.set(key, JSON.stringify(value));
  }

  /** Writes a row whose text is serialised already. */
  putText(key: string, text: string): void {
    this.#memory.delete(key);
    this.#written.set(key, text);
  }

  delete(key: string): void {
    this.#memory.delete(key);
    this.#written.set(key, null);
  }

  /** Tells avatars something: a frame for those of other shards, a further turn of this commit for those of this one. */
  tell(to: readonly string[], event: AvatarEvent): void {
    if (to.length > 0) this.told.push({ from: this.avatar, to: [...to], event });
  }

  /** Sets the avatar's one alarm (epoch milliseconds), or none. It fires also when the avatar sleeps or has moved. */
  setAlarm(at: number | null): void {
    const from = this.#alarm === null ? this.alarmAt : this.#alarm.from;
    this.#alarm = { from, to: at };
  }

  /** The alarm in force. */
  get alarmAt(): number | null {
    return this.#alarm === null ? (this.get<number>(ALARM) ?? null) : this.#alarm.to;
  }

  /** Calls `effect` once the commit is durable, such as answering a call. */
  onDurable(effect: () => void): void {
    this.effects.push(effect);
  }

  /** The change of the alarm, or null when there is none. */
  get alarmChange(): { readonly from: number | null; readonly to: number | null } | null {
    return this.#alarm === null || this.#alarm.from === this.#alarm.to ? null : this.#alarm;
  }

  /** The rows to write, the alarm's included. */
  rows(): Row[] {
    const rows: Row[] = [];
    for (const [key, value] of this.#written) rows.push({ avatar: this.avatar, key, value });
    const alarm = this.alarmChange;
    if (alarm !== null) {
      rows.push({ avatar: this.avatar, key: ALARM, value: alarm.to === null ? null : String(alarm.to) });
      this.#memory.delete(ALARM);
    }
    return rows;
  }
}

/** The few rows of an avatar that nearly every turn reads: the avatar alone writes them, so what it remembers is true. */
function isRemembered(key: string): boolean {
  return REMEMBERED.has(key) || key.startsWith("sub/");
}
