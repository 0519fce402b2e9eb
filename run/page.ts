/** Builds the page when what it is made of has changed: `services/web-api/app/dist`, which web-api serves. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompressSync, gzipSync } from "node:zlib";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const APP = join(ROOT, "services/web-api/app");
const VITE = join(ROOT, "node_modules/vite/bin/vite.js");
const SOURCES = ["index.html", "vite.config.ts", "tsconfig.json", "src/**/*.*", "public/*.*"];
const BUILD_MS = 120_000;

/** Resolves to whether it had to be built. Rejects with what the build says when it fails. */
export async function buildPage(app: string = APP): Promise<boolean> {
  const built = join(app, "dist");
  const digest = digestOf(app);
  const isCurrent = () => existsSync(built) && readDigest(built) === digest;
  if (isCurrent()) return false;
  // Two installations may start at once: each builds beside, and what is ready takes the place.
  const beside = join(app, `.build-${process.pid}`);
  try {
    await promisify(execFile)(process.execPath, [VITE, "build", "--outDir", beside], {
      cwd: app,
      timeout: BUILD_MS,
      // Vite would leave a cache of its own code in the folder for temporary files.
      env: { ...process.env, NODE_ENV: "production", NODE_DISABLE_COMPILE_CACHE: "1" },
    });
    for (const name of globSync("assets/*", { cwd: beside })) {
      const text = readFileSync(join(beside, name));
      writeFileSync(join(beside, `${name}.br`), brotliCompressSync(text));
      writeFileSync(join(beside, `${name}.gz`), gzipSync(text));
    }
    writeFileSync(join(beside, ".digest"), digest);
    await rm(built, { recursive: true, force: true });
    await rename(beside, built).catch((error) => {
      if (!isCurrent()) throw error;
    });
    return true;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? "";
    throw new Error(`the page could not be built: ${said.trim() || error}`, { cause: error });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

function digestOf(app: string): string {
  const hash = createHash("sha256").update(readFileSync(join(ROOT, "package-lock.json")));
  for (const file of globSync(SOURCES, { cwd: app }).sort())
    hash.update(`\n${file}\n`).update(readFileSync(join(app, file)));
  return hash.digest("hex");
}

function readDigest(built: string): string | null {
  const file = join(built, ".digest");
  return existsSync(file) ? readFileSync(file, "utf8") : null;
}
