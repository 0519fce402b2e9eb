/** The operators' routes, asked with the token that an operator has typed; it is kept for as long as the tab is open. */
import { signal } from "@preact/signals";
import { api } from "./api.ts";
import type { List } from "./types.ts";

const KEY = "operator";

/** Null: nobody has shown one here. */
export const operatorToken = signal<string | null>(sessionStorage.getItem(KEY));

export interface Host {
  readonly id: string;
  readonly state: string;
  readonly shards: number;
  readonly awakeAvatars: number | null;
  readonly commitsPerSecond: number | null;
  readonly busy: number | null;
  readonly loopDelayMs: number | null;
  readonly residentBytes: number | null;
  readonly framesWaiting: number | null;
  readonly parkedStreams: number | null;
}

export interface Fleet extends List<Host> {
  readonly wanted: number;
  readonly least: number;
  readonly most: number;
  readonly problem: string | null;
  readonly decisions: readonly { readonly at: string; readonly wanted: number; readonly reason: string }[];
}

export interface Shard {
  readonly shard: number;
  readonly host: string | null;
  readonly epoch: number | null;
}

/** How the fleet did at one time: sums over the hosts, and the worst of them where that says more. */
export interface FleetSample {
  readonly at: string;
  readonly hosts: number;
  readonly commitsPerSecond: number;
  readonly busy: number;
  readonly loopDelayMs: number;
}

export interface Status {
  readonly isWell: boolean;
  readonly sentence: string;
  readonly troubles: readonly string[];
}

export interface Queue {
  readonly queue: string;
  readonly waiting: number;
}

export interface DeadLetter {
  readonly id: string;
  readonly owner: string;
  readonly at: string | null;
  readonly kind: string;
  readonly error: string;
}

/** Asks under `/v1/operations`. Rejects with ApiError. */
export function operations<T>(
  method: string,
  path: string,
  body?: object,
  token = operatorToken.value,
): Promise<T> {
  return api<T>(method, `/v1/operations${path}`, body, { authorization: `Bearer ${token}` });
}

/** Keeps `token` when it is the operators'. Rejects with ApiError when it is not. */
export async function becomeOperator(token: string): Promise<void> {
  await operations("GET", "/dead-letters?limit=1", undefined, token);
  sessionStorage.setItem(KEY, token);
  operatorToken.value = token;
}

export function endOperator(): void {
  sessionStorage.removeItem(KEY);
  operatorToken.value = null;
}
