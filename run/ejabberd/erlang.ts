/** Where the machine keeps Erlang's programs and ejabberd's libraries, and how our modules are compiled against them. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** ejabberd is not installed, or its modules cannot be compiled; the message says what to do. */
export class ErlangError extends Error {
  override readonly name = "ErlangError";
}

/**
 * The folder that holds `ejabberd-<version>/ebin`, for ERL_LIBS. Debian keeps it in /usr/lib/<architecture>, ejabberd's
 * own packages in /opt/ejabberd-<version>/lib. Rejects with {@link ErlangError}.
 */
export async function findEjabberd(): Promise<string> {
  const folders = [
    ...(await subfolders("/usr/lib")),
    ...(await subfolders("/opt")).map((path) => join(path, "lib")),
  ];
  for (const folder of folders) {
    const entries = await subfolders(folder);
    if (entries.some((entry) => /\/ejabberd-\d[^/]*$/.test(entry))) return folder;
  }
  throw new ErlangError("ejabberd is not installed; on Debian: apt-get install ejabberd");
}

/**
 * Compiles all modules in `sources` into `target`, unless it holds them already, compiled from the same sources
 * against the same ejabberd (`libraries`, see {@link findEjabberd}). Rejects with {@link ErlangError}.
 */
export async function compileModules(sources: string, target: string, libraries: string): Promise<void> {
  const files = (await readdir(sources)).filter((name) => /\.[eh]rl$/.test(name)).sort();
  const stamp = await fingerprint(sources, files, libraries);
  if ((await readOrEmpty(join(target, "stamp"))) === stamp) return;

  await mkdir(join(target, ".."), { recursive: true });
  const scratch = await mkdtemp(`${target}-`);
  try {
    const modules = files.filter((name) => name.endsWith(".erl")).map((name) => join(sources, name));
    const includes = (await includeFolders(libraries)).flatMap((folder) => ["-I", folder]);
    await erlang("erlc", ["+debug_info", ...includes, "-o", scratch, ...modules], libraries);
    await writeFile(join(scratch, "stamp"), stamp);
    await rm(target, { recursive: true, force: true });
    await rename(scratch, target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function fingerprint(sources: string, files: readonly string[], libraries: string): Promise<string> {
  const hash = createHash("sha256").update((await subfolders(libraries)).join("\n"));
  for (const name of files) hash.update(name).update(await readFile(join(sources, name)));
  return hash.digest("hex");
}

/** Debian calls the library p1_xmpp, ejabberd's own packages xmpp. */
async function includeFolders(libraries: string): Promise<string[]> {
  const print = 'io:format("~s~n", [D])';
  const program = `[case code:lib_dir(L) of {error, _} -> ok; D -> ${print} end || L <- [ejabberd, p1_xmpp, xmpp]], halt().`;
  const printed = await erlang("erl", ["-noinput", "-boot", "start_clean", "-eval", program], libraries);
  return printed
    .split("\n")
    .filter((line) => line !== "")
    .map((folder) => join(folder, "include"));
}

async function erlang(program: string, args: readonly string[], libraries: string): Promise<string> {
  try {
    const env = { ...process.env, ERL_LIBS: libraries };
    return (await run(program, args, { timeout: 120_000, env })).stdout;
  } catch (cause) {
    const { code, stdout, stderr } = cause as { code?: unknown; stdout?: string; stderr?: string };
    if (code === "ENOENT")
      throw new ErlangError(`${program} is not installed; on Debian: apt-get install erlang-base`);
    throw new ErlangError(`${program} failed: ${stdout ?? ""}${stderr ?? ""}`, { cause });
  }
}

async function subfolders(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort().map((name) => join(path, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
    throw error;
  }
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
