/** `bin/tidings <command>`: finds the command and runs it. */
import { backup } from "./backup.ts";
import type { Command, Surroundings } from "./command.ts";
import { deadLetters } from "./dead-letters.ts";
import { fleetCommands } from "./fleet.ts";
import { restoreCommand } from "./restore.ts";

const COMMANDS: readonly Command[] = [...fleetCommands, deadLetters, backup, restoreCommand];

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
});

async function main([name, ...args]: readonly string[], surroundings: Surroundings): Promise<number> {
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined || args.includes("--help")) {
    for (const { summary, usage } of command === undefined ? COMMANDS : [command])
      surroundings.err(`${usage}\n    ${summary}`);
    return command === undefined ? 2 : 0;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    surroundings.err(error instanceof Error ? error.message : String(error));
    return 1;
  }
}
