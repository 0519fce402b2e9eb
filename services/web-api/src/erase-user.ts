/** The end of a user: all that their avatar keeps, and the IM account. */
import { randomUUID } from "node:crypto";
import { removeAccountStanza } from "@tidings/protocol";
import { askPatiently } from "./ask-patiently.ts";
import type { Parts } from "./parts.ts";
import { Problem } from "./problem.ts";
import type { Caller } from "./session.ts";

/** Erases the user whose session `caller` has. Rejects with CallError, and with Problem 503 when the account is left over. */
export async function eraseUser(parts: Parts, caller: Caller, op: string | undefined): Promise<void> {
  await parts.avatars.asUser(caller, "erase", {}, op);
  await removeAccount(parts, caller.name);
  parts.log.info({ user: caller.name }, "erased");
}

async function removeAccount({ addresses, bus }: Parts, name: string): Promise<void> {
  try {
    await askPatiently(bus, () => removeAccountStanza(addresses.web, addresses.users, randomUUID(), name));
  } catch (cause) {
    const sentence =
      "Your data is erased, but the IM account could not be removed now. Sign up with the same name and password, and erase again.";
    throw new Problem(503, sentence, { cause });
  }
}
