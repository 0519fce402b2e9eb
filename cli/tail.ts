/** `tidings tail`: what all processes log, as it goes on, in one stream. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Command, CommandFailed, Misunderstood } from "./command.ts";
import { installationOf } from "./operator.ts";
import { ProcessLogs } from "./process-logs.ts";

const LEVELS: Readonly<Record<string, number>> = { debug: 20, info: 30, warn: 40, error: 50 };
const WORDS = new Map(Object.entries(LEVELS).map(([word, number]) => [number, word]));
/** Fields that each line has, and that are shown in its beginning or not at all. */
const COMMON = new Set(["level", "time", "pid", "service", "msg"]);

interface Wanted {
  readonly trace: string | null;
  readonly user: string | null;
  readonly service: string | null;
}

type Line = Readonly<Record<string, unknown>>;

export const tail: Command = {
  name: "tail",
  summary: "Shows what all processes log, as it goes on: of a notification or a user, each step.",
  usage:
    "tidings tail [--trace <id>] [--user <name>] [--service <name>] [--level debug|info|warn|error] [--json]",
  examples: [
    "tidings tail                       # what changes, and what goes wrong",
    "tidings tail --user alice          # each step of each notification of alice",
    "tidings tail --trace 5f2b…         # of one notification; its id is in the history",
    "tidings tail --level warn --json   # one object a line",
  ],
  run: async (args, surroundings) => {
    const { trace = null, user = null, service = null, json: isJson, level: said } = optionsIn(args);
    const level = said ?? (trace === null && user === null ? "info" : "debug");
    if (!Object.hasOwn(LEVELS, level)) throw new Misunderstood(tail);
    const { settings, authorization } = installationOf(surroundings);
    const folder = join(settings.TIDINGS_HOME, "metrics");
    const hear = (text: string) => {
      const line = JSON.parse(text) as Line;
      if (isWanted(line, { trace, user, service })) surroundings.out(isJson ? text : lineOf(line));
    };
    const logs = new ProcessLogs({ folder, level, authorization, hear });
    if (logs.targets.length === 0)
      throw new CommandFailed(`${folder} names no process; start Tidings, or set TIDINGS_HOME.`);
    await logs.listen(surroundings.stopped);
    return 0;
  },
};

function optionsIn(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    const options = {
      trace: text,
      user: text,
      service: text,
      level: text,
      json: { type: "boolean" },
    } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch {
    throw new Misunderstood(tail);
  }
}

function isWanted(line: Line, { trace, user, service }: Wanted): boolean {
  const concerns = [line.user, line.avatar, line.owner];
  return (
    (trace === null || line.trace === trace) &&
    (user === null || concerns.includes(user)) &&
    (service === null || line.service === service)
  );
}

function lineOf(line: Line): string {
  const time = new Date(Number(line.time)).toISOString();
  const level = WORDS.get(Number(line.level)) ?? String(line.level);
  const fields = Object.entries(line)
    .filter(([name]) => !COMMON.has(name))
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return [time, level.padEnd(5), line.service, line.msg, ...fields].filter(Boolean).join(" ");
}
