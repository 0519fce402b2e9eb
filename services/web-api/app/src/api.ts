/** What the page asks of web-api, by the session's cookie. */
import { signal } from "@preact/signals";
import type { Problem } from "./types.ts";

/** Whether somebody is signed in here; null until that is known. */
export const isSignedIn = signal<boolean | null>(null);

/** An answer that is not what was asked for: `message` says what happened and what to do. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly problem: Problem | null;

  constructor(status: number, message: string, problem: Problem | null = null) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

const AWAY = "Tidings cannot be reached at the moment. Nothing you typed is lost; try again.";

/** Sends a request and gives what is answered. Rejects with ApiError. */
export async function api<T>(
  method: string,
  path: string,
  body?: unknown,
  headers?: HeadersInit,
): Promise<T> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(path, {
    method,
    headers: { ...(typeof body === "object" ? { "content-type": "application/json" } : {}), ...headers },
    ...(body === undefined ? {} : { body: text }),
  }).catch(isAway);
  if (response.ok) return read<T>(response).catch(isAway);
  const problem = (await response.json().catch(() => null)) as Problem | null;
  if (response.status === 401 && isSignedIn.value === true) isSignedIn.value = false;
  throw new ApiError(
    response.status,
    problem?.detail ?? `Tidings answered ${response.status}. Try again.`,
    problem,
  );
}

/** Nothing was answered, or not all of it. */
function isAway(): never {
  throw new ApiError(0, AWAY);
}

async function read<T>(response: Response): Promise<T> {
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  return (response.status === 204 ? null : isJson ? await response.json() : await response.text()) as T;
}

/** The header that makes a change one change, however often it is sent (`crypto.randomUUID` is for https alone). */
export function onlyOnce(key: string): HeadersInit {
  return { "idempotency-key": key };
}

/** A key that nothing else has. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** What went wrong, as a sentence. */
export function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
