/**
 * What the installation in a state folder was last started with (`<home>/last-start.json`), for the commands of `bin/tidings`: who
 * names the folder need not say again which ports it has.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSettings, type Settings } from "./settings.ts";

/** Those without which a command would look in the wrong place, by the names of their variables. */
const REMEMBERED = [
  "TIDINGS_DOMAIN",
  "TIDINGS_WEB_PORT",
  "TIDINGS_XMPP_PORT",
  "TIDINGS_SMTP_PORT",
  "TIDINGS_DYNAMODB_ENDPOINT",
] as const;

type LastStart = Readonly<Record<(typeof REMEMBERED)[number], string>>;

/** Remembers in `home` (absolute) what was started. */
export function rememberStart(home: string, start: LastStart): void {
  writeFileSync(pathIn(home), `${JSON.stringify(start, null, 2)}\n`);
}

/** As `readSettings`; what `env` leaves open is as the state folder was last started with. Throws ConfigError. */
export function settingsAsStarted(env: NodeJS.ProcessEnv, cwd: string): Settings {
  const settings = readSettings(env, cwd);
  return readSettings({ ...lastStartIn(settings.TIDINGS_HOME), ...env }, cwd);
}

/** Nothing where it was never started, or where the file cannot be used. */
function lastStartIn(home: string): Partial<LastStart> {
  try {
    const read = JSON.parse(readFileSync(pathIn(home), "utf8"));
    return Object.fromEntries(REMEMBERED.map((name) => [name, read[name]]));
  } catch {
    return {};
  }
}

function pathIn(home: string): string {
  return join(home, "last-start.json");
}
