/** `tidings user add|export|erase`: what an operator does for a user. */
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { type Command, CommandFailed, Misunderstood, type Surroundings } from "./command.ts";
import { operatorOf, senderOf } from "./operator.ts";

const FLAGS: Readonly<Record<string, readonly string[]>> = { add: ["--password-stdin"], erase: ["--yes"] };

export const user: Command = {
  name: "user",
  summary: "Signs somebody up, hands out all that is kept of a user, or erases them.",
  usage:
    "tidings user add <name> [--password-stdin] [--json]\n" +
    "tidings user export <name> <file> [--json]\n" +
    "tidings user erase <name> --yes [--json]",
  examples: [
    "tidings user add alice                            # prints a password that was made for alice",
    "pass show alice | tidings user add alice --password-stdin",
    "tidings user export alice alice.json              # a new file, of mode 0600",
    "tidings user erase alice --yes                    # the IM account, too; there is no way back",
  ],
  run: async (args, surroundings) => {
    const flags = new Set(args.filter((arg) => arg.startsWith("--")));
    const [action, name, file, ...others] = args.filter((arg) => !arg.startsWith("--"));
    const known = new Set(["--json", ...(FLAGS[action ?? ""] ?? [])]);
    if (name === undefined || others.length > 0 || !flags.isSubsetOf(known)) throw new Misunderstood(user);
    if (action === "add" && file === undefined) return add(name, flags, surroundings);
    if (action === "export" && file !== undefined) return exportTo(name, file, flags, surroundings);
    if (action === "erase" && file === undefined) return erase(name, flags, surroundings);
    throw new Misunderstood(user);
  },
};

async function add(name: string, flags: ReadonlySet<string>, surroundings: Surroundings): Promise<number> {
  const { out } = surroundings;
  const given = flags.has("--password-stdin") ? (await text(surroundings.input)).trimEnd() : null;
  const password = given ?? randomBytes(15).toString("base64url");
  const made = (await operatorOf(surroundings)("POST", "/users", { name, password })) as { jid: string };
  const shown = given === null ? { password } : {};
  if (flags.has("--json")) out(JSON.stringify({ ...made, ...shown }));
  else {
    out(`${made.jid} is there`);
    if (given === null) out(`password: ${password}`);
  }
  return 0;
}

async function exportTo(
  name: string,
  file: string,
  flags: ReadonlySet<string>,
  surroundings: Surroundings,
): Promise<number> {
  const path = resolve(surroundings.cwd, file);
  const answer = await senderOf(surroundings)("GET", `/users/${encodeURIComponent(name)}/export`);
  try {
    const target = createWriteStream(path, { mode: 0o600, flags: "wx" });
    await pipeline(Readable.fromWeb(answer.body as ReadableStream), target);
  } catch (cause) {
    throw new CommandFailed(`${path} was not written: ${(cause as Error).message}`, { cause });
  }
  surroundings.out(
    flags.has("--json") ? JSON.stringify({ name, file: path }) : `all that is kept of ${name} is in ${path}`,
  );
  return 0;
}

async function erase(name: string, flags: ReadonlySet<string>, surroundings: Surroundings): Promise<number> {
  if (!flags.has("--yes"))
    throw new CommandFailed(`Nothing brings ${name} back afterwards: say it with --yes, after an export.`);
  await operatorOf(surroundings)("DELETE", `/users/${encodeURIComponent(name)}`);
  surroundings.out(flags.has("--json") ? JSON.stringify({ name, erased: true }) : `${name} is erased`);
  return 0;
}
