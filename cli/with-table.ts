/** The table of an installation for the time of one command, whether it runs or not. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Table } from "@tidings/store";
import { Crew } from "../run/crew.ts";
import { dynalite } from "../run/dynalite.ts";
import { openHome } from "../run/home.ts";
import { settingsAsStarted } from "../run/last-start.ts";
import { killLeftovers } from "../run/leftovers.ts";
import { HomeInUse, lockHome } from "../run/lock.ts";
import { choosePorts } from "../run/ports.ts";
import type { Surroundings } from "./command.ts";

/**
 * Gives `work` the table of the installation that `surroundings` name. An embedded DynamoDB that does not run is started
 * meanwhile. With `mustStand` it rejects with HomeInUse when the installation runs.
 */
export async function withTable<T>(
  { env, cwd, err }: Surroundings,
  mustStand: boolean,
  work: (table: Table) => Promise<T>,
): Promise<T> {
  const { TIDINGS_HOME: home, TIDINGS_DYNAMODB_ENDPOINT: endpoint } = settingsAsStarted(env, cwd);
  if (!mustStand && endpoint === "embedded" && !existsSync(join(home, "version")))
    throw new Error(`${home} is no state folder of Tidings; set TIDINGS_HOME to the one to copy`);
  openHome(home);
  const lock = lockUnlessRunning(home, mustStand);
  const crew = new Crew(home, err);
  try {
    if (endpoint !== "embedded") return await use(endpoint, work);
    if (lock === null) return await use(runningEndpoint(home), work);
    await killLeftovers(home);
    const { spec, endpoint: started } = dynalite(home, (await choosePorts(home)).dynamo);
    await crew.start("servers", spec);
    return await use(started, work);
  } finally {
    await crew.stop();
    lock?.release();
  }
}

function lockUnlessRunning(home: string, mustStand: boolean) {
  try {
    return lockHome(home);
  } catch (error) {
    if (mustStand || !(error instanceof HomeInUse)) throw error;
    return null;
  }
}

function runningEndpoint(home: string): string {
  const { dynamo } = JSON.parse(readFileSync(join(home, "ports.json"), "utf8")) as { dynamo: number };
  return `http://127.0.0.1:${dynamo}`;
}

async function use<T>(endpoint: string, work: (table: Table) => Promise<T>): Promise<T> {
  const table = new Table({ endpoint });
  try {
    await table.create();
    return await work(table);
  } finally {
    table.stop();
  }
}
