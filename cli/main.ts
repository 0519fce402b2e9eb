/** `bin/tidings <command> …`: finds the command and runs it. */
import { backup } from "./backup.ts";
import type { Command } from "./command.ts";
import { restoreCommand } from "./restore.ts";

const COMMANDS: readonly Command[] = [backup, restoreCommand];

const [name, ...args] = process.argv.slice(2);
const command = COMMANDS.find((candidate) => candidate.name === name);
const surroundings = {
  env: process.env,
  cwd: process.cwd(),
  out: (line: string) => void process.stdout.write(`${line}\n`),
  err: (line: string) => void process.stderr.write(`${line}\n`),
};

if (command === undefined) {
  surroundings.err("usage: tidings <command>");
  for (const { usage, summary } of COMMANDS) surroundings.err(`  ${usage.padEnd(28)} ${summary}`);
  process.exitCode = 2;
} else {
  try {
    process.exitCode = await command.run(args, surroundings);
  } catch (error) {
    surroundings.err(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
