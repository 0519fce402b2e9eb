/** `bin/tidings <command>`: finds the command and runs it. */
import { ConfigError } from "@tidings/runtime";
import { type Command, CommandFailed, type Surroundings } from "./command.ts";
import { deadLetters } from "./dead-letters.ts";

const COMMANDS: readonly Command[] = [deadLetters];

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
    return command === undefined ? 1 : 0;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    if (!(error instanceof CommandFailed || error instanceof ConfigError)) throw error;
    surroundings.err(error.message);
    return 1;
  }
}
