/** `bin/tidings <command>`: finds the command and runs it. */

import { avatar } from "./avatar.ts";
import { backup } from "./backup.ts";
import { type Command, Misunderstood, type Surroundings } from "./command.ts";
import { deadLetters } from "./dead-letters.ts";
import { doctor } from "./doctor/doctor.ts";
import { fleetCommands } from "./fleet.ts";
import { restoreCommand } from "./restore.ts";
import { tail } from "./tail.ts";
import { user } from "./user.ts";

const COMMANDS: readonly Command[] = [
  ...fleetCommands,
  doctor,
  avatar,
  user,
  tail,
  deadLetters,
  backup,
  restoreCommand,
];

const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());

process.exitCode = await main(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  input: process.stdin,
  stopped: stopping.signal,
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
});

async function main([name, ...args]: readonly string[], surroundings: Surroundings): Promise<number> {
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) return overview(name, surroundings);
  if (args.includes("--help")) {
    for (const line of helpOf(command)) surroundings.out(line);
    return 0;
  }
  try {
    return await command.run(args, surroundings);
  } catch (error) {
    surroundings.err(error instanceof Error ? error.message : String(error));
    return error instanceof Misunderstood ? 2 : 1;
  }
}

/** Exit code 0 for who asks for it, 2 for who names no command that there is. */
function overview(name: string | undefined, { out, err }: Surroundings): number {
  const isAsked = name === "help" || name === "--help";
  const say = isAsked ? out : err;
  if (name !== undefined && !isAsked) err(`There is no command ${name}.`);
  for (const { summary, usage } of COMMANDS) say(`${usage}\n    ${summary}`);
  say("tidings <command> --help shows examples. Exit codes: 0 done and well, 1 not, 2 not understood.");
  return isAsked ? 0 : 2;
}

function* helpOf({ summary, usage, examples }: Command): Generator<string> {
  yield usage;
  yield `    ${summary}`;
  yield "";
  for (const example of examples) yield `    ${example}`;
}
