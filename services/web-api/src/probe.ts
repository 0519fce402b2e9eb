/** Whether an avatar host answers calls. */
import type { Parts } from "./parts.ts";

/** A name that no user can have, so that the probe asks after nobody. */
const PROBED_AVATAR = "system";

/** Resolves when one has answered; rejects with CallError when none does within `timeoutMs`. */
export async function probeAvatars(
  { avatars, addresses }: Pick<Parts, "avatars" | "addresses">,
  timeoutMs: number,
): Promise<void> {
  await avatars.asService(PROBED_AVATAR, "addressStanding", { address: addresses.web }, undefined, timeoutMs);
}
