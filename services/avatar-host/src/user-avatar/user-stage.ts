/** A user avatar on its own for tests: alice, who has signed up and in. */
import { addressesOf, type CallName, type ProfileView } from "@tidings/protocol";
import { Rehearsal } from "../rehearsal.ts";
import { type Surroundings, UserAvatar } from "./user-avatar.ts";

const addresses = addressesOf("d");
const web = { fromDomain: addresses.web };

export interface UserStage {
  readonly alice: Rehearsal;
  /** What the end of the sign-up was answered with. */
  readonly signedUp: ProfileView;
  /** A call of alice herself, by web-api. */
  calls(name: CallName, args?: Record<string, unknown>, op?: string | null): Promise<unknown>;
}

/** `around` says what she is told of the bus; all is well without it. */
export async function openUserStage(
  around: Surroundings = { epochOf: () => 1, connection: () => 1 },
): Promise<UserStage> {
  const alice = new Rehearsal("alice", () => new UserAvatar(addresses, around));
  await alice.isCalled({ ...web, name: "beginSignUp", args: {}, op: "operation-begin" });
  const signedUp = await alice.isCalled({ ...web, name: "finishSignUp", args: {}, op: "operation-finish" });
  const opened = await alice.isCalled({ ...web, name: "openSession", args: { label: "" } });
  const authority = { session: (opened as { session: string }).session };
  return {
    alice,
    signedUp: signedUp as ProfileView,
    calls: (name, args = {}, op = null) => alice.isCalled({ ...web, name, args, op, authority }),
  };
}
