import { envSchema } from "env-schema";
import type { Static, TObject } from "typebox";

/** The settings are not usable; `message` lists every problem with the variable's name and what was expected. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/**
 * Reads the settings that `schema` names from `env` (default: the process environment). Numbers and booleans are
 * converted, defaults filled in, unknown variables ignored. Throws {@link ConfigError} with all problems at once.
 */
export function readConfig<S extends TObject>(
  schema: S,
  env: NodeJS.ProcessEnv = process.env,
): Readonly<Static<S>> {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  try {
    return envSchema<Static<S>>({ schema, data: present, env: false, ajv: { customOptions: withAllErrors } });
  } catch (cause) {
    throw new ConfigError(`unusable settings: ${sentences(cause).join("; ")}`, { cause });
  }
}

function withAllErrors<T extends { opts: { allErrors?: boolean } }>(ajv: T): T {
  ajv.opts.allErrors = true;
  return ajv;
}

interface SchemaProblem {
  readonly instancePath?: string;
  readonly message?: string;
}

function sentences(cause: unknown): string[] {
  const problems = (cause as { errors?: SchemaProblem[] }).errors ?? [];
  if (problems.length === 0) return [cause instanceof Error ? cause.message : String(cause)];
  return problems.map(({ instancePath, message }) =>
    `${(instancePath ?? "").slice(1)} ${message ?? "is wrong"}`.trim(),
  );
}
