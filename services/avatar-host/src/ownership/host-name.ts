/**
 * One process under one name. Of two, the one that serves goes on and the newcomer ends with a sentence: the mistake is in
 * what was started last, where somebody is looking, and were the newcomer to win, two supervisors would start both hosts
 * in turn for ever.
 *
 * In one state folder a lock tells; the operating system lets it go however its holder dies, so a host that was killed comes
 * back at once. From another place a heartbeat that moves tells.
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Heartbeat, Leases } from "@tidings/store";

/** Another avatar host runs under the name. */
export class HostNameTakenError extends Error {
  override readonly name = "HostNameTakenError";
}

/** How long a living host's heartbeat may stand still at most (milliseconds): two beats, and one that was lost. */
const LOOK_MS = 7_000;
const LOOK_EVERY_MS = 500;

/** Takes the host's folder; the function gives it back. Throws {@link HostNameTakenError} when another process has it. */
export function lockFolder(folder: string, host: string): () => void {
  const db = new DatabaseSync(join(folder, "lock"));
  try {
    db.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (cause) {
    db.close();
    throw new HostNameTakenError(
      `an avatar host named ${host} runs already on ${folder}; end it, or set TIDINGS_HOST_NAME to another name`,
      { cause },
    );
  }
  return () => {
    if (db.isOpen) db.close();
  };
}

/** Resolves when no host of another place lives under the name `host`. Rejects with {@link HostNameTakenError}. */
export async function awaitFreeName(leases: Leases, host: string, place: string): Promise<void> {
  const first = await leases.heartbeat(host);
  if (first === null || first.place === place) return;
  for (let waitedMs = 0; waitedMs < LOOK_MS; waitedMs += LOOK_EVERY_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const now = await leases.heartbeat(host);
    if (now === null) return;
    if (isMoving(first, now))
      throw new HostNameTakenError(
        `an avatar host named ${host} lives already at ${now.place}; set TIDINGS_HOST_NAME to another name for the one at ${place}`,
      );
  }
}

function isMoving(before: Heartbeat, now: Heartbeat): boolean {
  return before.inc !== now.inc || before.hb !== now.hb;
}
