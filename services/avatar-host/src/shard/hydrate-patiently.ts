import type { AddressedEvent } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import type { ShardStore } from "@tidings/store";

const LONGEST_PAUSE_MS = 5_000;

/** Reads the rows of `avatar` from the checkpoints, again until that went well or the store is closed. Never rejects. */
export async function hydratePatiently(
  store: ShardStore<AddressedEvent>,
  avatar: string,
  log: Log,
): Promise<void> {
  for (let attempt = 1; store.isOpen && !store.isHydrated(avatar); attempt++) {
    try {
      await store.hydrate(avatar);
    } catch (error) {
      log.warn({ err: error, avatar, attempt }, "avatar could not be read, trying again");
      await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempt)));
    }
  }
}
