/** Checking what comes from outside against its schema; each schema is compiled once. */
import type { Static, TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";

/** What arrived does not have the agreed shape; `message` says where. */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
}

const compiled = new WeakMap<TSchema, Validator>();

/** `value` as the type of `schema`. Throws {@link MalformedError} naming the first place that differs. */
export function check<S extends TSchema>(schema: S, value: unknown, what: string): Static<S> {
  const validator = compiledFor(schema);
  if (validator.Check(value)) return value as Static<S>;
  const first = validator.Errors(value)[0];
  throw new MalformedError(
    `${what}: ${first?.instancePath || "the value"} ${first?.message ?? "has the wrong shape"}`,
  );
}

/** One place where a value differs from its schema. */
export interface ShapeError {
  /** JSON pointer (RFC 6901); empty for the whole. */
  readonly pointer: string;
  readonly message: string;
}

/** Every place where `value` differs from `schema`, the first of each pointer; none when it fits. */
export function shapeErrors(schema: TSchema, value: unknown): ShapeError[] {
  const validator = compiledFor(schema);
  if (validator.Check(value)) return [];
  const found = new Map<string, string>();
  for (const { keyword, instancePath, message } of validator.Errors(value)) {
    const said = keyword === "boolean" ? "is not a field that there is" : message;
    if (!found.has(instancePath)) found.set(instancePath, said);
  }
  return [...found].map(([pointer, message]) => ({ pointer, message }));
}

/** Parses JSON and checks it. Throws {@link MalformedError}. */
export function parseAs<S extends TSchema>(schema: S, json: string, what: string): Static<S> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new MalformedError(`${what}: not JSON`, { cause });
  }
  return check(schema, value, what);
}

function compiledFor(schema: TSchema): Validator {
  let validator = compiled.get(schema);
  if (validator === undefined) {
    validator = Compile(schema) as Validator;
    compiled.set(schema, validator);
  }
  return validator;
}
