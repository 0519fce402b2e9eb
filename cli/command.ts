/** A command of `bin/tidings`. */
export interface Command {
  /** The word that it is called by. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** How it is called, one line for each way. */
  readonly usage: string;
  /** How it is used, a command line each, with what it does. */
  readonly examples: readonly string[];
  /** Does it; resolves with the exit code. Rejects with a CommandFailed, or with an error that nobody foresaw. */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>;
}

/** What a command knows of the outside. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Folder that relative paths are taken from. */
  readonly cwd: string;
  /** Standard input. */
  readonly input: NodeJS.ReadableStream & AsyncIterable<Buffer | string>;
  /** Aborted when the command is to end (a signal). */
  readonly stopped: AbortSignal;
  /** One line to standard output. */
  readonly out: (line: string) => void;
  /** One line to standard error. */
  readonly err: (line: string) => void;
}

/** The command was called in a way that it does not know; exit code 2. */
export class Misunderstood extends Error {
  override readonly name = "Misunderstood";

  constructor({ usage, name }: Pick<Command, "usage" | "name">) {
    super(`usage: ${usage}\nSee tidings ${name} --help.`);
  }
}

/** The command cannot do what it was asked; `message` is a sentence that says what to do. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}

/** The one argument of `command` that names a folder. Throws Misunderstood. */
export function folderIn(args: readonly string[], command: Command): string {
  const [folder, ...others] = args.filter((arg) => arg !== "--json");
  if (folder === undefined || others.length > 0) throw new Misunderstood(command);
  return folder;
}
