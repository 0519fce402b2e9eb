import { readFile } from "node:fs/promises";

/** The secret in the file `path`, without the line end. Rejects with a sentence that names the file. */
export async function readSecret(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trimEnd();
  } catch (cause) {
    throw new Error(`the secret in ${path} cannot be read`, { cause });
  }
}
