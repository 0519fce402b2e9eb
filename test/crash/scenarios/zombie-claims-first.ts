/**
 * ejabberd starts anew, and the first claim that it hears comes from a host that was deposed meanwhile.
 *
 *     old owner stands still ──▶ ejabberd dies ──▶ new owner takes the leases, and cannot claim
 *       ──▶ ejabberd is up, the new owner still cut off ──▶ old owner goes on and claims: granted ──▶ new owner claims: granted
 */
import { FIRST_SILO } from "@tidings/protocol";
import { Leases, Table } from "@tidings/store";
import { eventually } from "@tidings/testkit";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import { Victim } from "../victim.ts";
import type { Scenario } from "./scenario.ts";

const LOAD = { feeds: 4, items: 3_600, lengthMs: 30_000 };
const TAKEN_WITHIN_MS = 25_000;
const CLAIMED_WITHIN_MS = 15_000;
const REPLACED_WITHIN_MS = 30_000;
const ENDS_WITHIN_MS = 15_000;

export const zombieClaimsFirst: Scenario = {
  name: "zombie-claims-first",
  sentence:
    "after a restart of ejabberd a deposed owner claims first: the new owner wins, nothing of the old one counts",
  play: (stage, random) => underLoad(stage, random, LOAD, () => claimFirst(stage, random)),
};

async function claimFirst(stage: Stage, random: Random): Promise<void> {
  const zombie = Victim.any(stage, random);
  const successors = stage.hosts.filter((process) => process !== zombie.process);
  stage.pauses(zombie.process);
  let taken: readonly number[];
  try {
    const owned = await zombie.owned();
    await stage.stack.ejabberd.kill("avatars");
    // It cannot look at its leases when it goes on, so that its claim is what it says first.
    stage.links.link(zombie.process, "dynamo").cuts();
    taken = await takenByOthers(stage, zombie, owned);
    for (const process of successors) stage.links.link(process, "bus").cuts();
  } finally {
    await stage.stack.ejabberd.restart("avatars");
    stage.resumes(zombie.process);
  }
  await isGranted(zombie, taken);
  for (const process of successors) stage.links.link(process, "bus").heals();
  await zombie.isReplaced(REPLACED_WITHIN_MS);
  stage.links.link(zombie.process, "dynamo").heals();
  await zombie.endsItself(ENDS_WITHIN_MS);
}

/** Resolves with those of the shards `owned` that are others' by the leases, as soon as there are some. */
async function takenByOthers(stage: Stage, { host }: Victim, owned: readonly number[]): Promise<number[]> {
  const table = new Table({ endpoint: stage.stack.dynamoEndpoint });
  try {
    return await eventually(
      async () => {
        const leases = await new Leases(table, FIRST_SILO).leases();
        const taken = leases.filter(({ shard, owner }) => owned.includes(shard) && owner?.host !== host);
        if (taken.length === 0) throw new Error(`nobody takes a lease of ${host}`);
        return taken.map(({ shard }) => shard);
      },
      { withinMs: TAKEN_WITHIN_MS },
    );
  } finally {
    table.stop();
  }
}

/** Resolves when the router has granted the zombie a claim on one of `taken`: that is what is to be survived. */
async function isGranted(zombie: Victim, taken: readonly number[]): Promise<void> {
  await eventually(
    async () => {
      const owned = await zombie.owned();
      if (!taken.some((shard) => owned.includes(shard)))
        throw new Error(
          `no claim of ${zombie.host} on a shard of others was granted: the fault has not struck`,
        );
    },
    { withinMs: CLAIMED_WITHIN_MS },
  );
}
