/** A command of `bin/tidings`. */
export interface Command {
  /** The word that it is called by. */
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** How it is called, one line for each way. */
  readonly usage: string;
  /** Does it; resolves with the exit code. Rejects with a CommandFailed, or with an error that nobody foresaw. */
  run(args: readonly string[], surroundings: Surroundings): Promise<number>;
}

/** What a command knows of the outside. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Folder that relative paths are taken from. */
  readonly cwd: string;
  /** One line to standard output. */
  readonly out: (line: string) => void;
  /** One line to standard error. */
  readonly err: (line: string) => void;
}

/** The command cannot do what it was asked; `message` is a sentence that says what to do. */
export class CommandFailed extends Error {
  override readonly name = "CommandFailed";
}
