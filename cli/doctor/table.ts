/** The table of avatars: there, of this version's layout, and written to by each host. */
import { setTimeout as pause } from "node:timers/promises";
import { FIRST_SILO, SHARDS } from "@tidings/protocol";
import { Leases, readLayout, type Table } from "@tidings/store";
import { bad, type Finding, good } from "./finding.ts";

/** In this time each host that lives writes a heartbeat (milliseconds). */
const BEAT_WITHIN_MS = 4_000;

/** Rejects when the table does not answer, or is not for this version. */
export async function checkTable(table: Table): Promise<Finding[]> {
  const startedAt = performance.now();
  const restoring = await readLayout(table);
  const ms = Math.round(performance.now() - startedAt);
  const there = good("table", `the table answers after ${ms} ms and has this version's layout`);
  if (restoring !== null)
    return [
      bad(
        "table",
        "a back-up is being restored into it, or that was broken off",
        "Finish it: tidings restore.",
      ),
    ];
  return [there, ...(await checkHosts(new Leases(table, FIRST_SILO)))];
}

async function checkHosts(leases: Leases): Promise<Finding[]> {
  const before = new Map((await leases.heartbeats()).map(({ host, hb }) => [host, hb]));
  await pause(BEAT_WITHIN_MS);
  const after = await leases.heartbeats();
  const living = new Set(after.filter(({ host, hb }) => hb !== before.get(host)).map(({ host }) => host));
  const owned = (await leases.leases()).filter(({ owner }) => owner !== null);
  const lost = owned.filter(({ owner }) => !living.has(owner?.host ?? "")).length;
  const names = [...living].join(", ");
  const writes =
    living.size === 0
      ? bad(
          "heartbeats",
          "no host has written one for seconds",
          "Start a host, or see whether they may write to the table.",
        )
      : good("heartbeats", `${names} write to the table`);
  if (lost === 0 && owned.length === SHARDS)
    return [writes, good("leases", `all ${SHARDS} shards are of hosts that live`)];
  const found = `${SHARDS - owned.length} shards are of nobody, and ${lost} of hosts that are silent`;
  return [
    writes,
    bad("leases", found, "Wait 15 s: hosts that live take them. After that their logs say why not."),
  ];
}
