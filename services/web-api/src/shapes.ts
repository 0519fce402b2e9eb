/** Parts of the schemas that several routes use. */
import Type from "typebox";
import { ProblemDetails } from "./problem.ts";

export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
/** One of `words`. */
export const literals = <W extends string[]>(words: readonly [...W]) => Type.Enum(words);

/** A time as RFC 3339 in UTC. */
export const Time = Type.String({ description: "RFC 3339, UTC.", examples: ["2026-03-01T08:00:00.000Z"] });

/** What no id of Tidings holds names nothing, and is answered like an id that nobody has. */
export const IdParams = Type.Object({ id: Type.String({ pattern: "^[A-Za-z0-9._:~-]{1,100}$" }) });

/** Headers of a request that changes something. */
export const ChangeHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description: "The same key with a repeated request changes nothing twice.",
    }),
  ),
});

export const Empty = Type.Null({ description: "Done; there is no body." });

/** Problem answers that every route with a session can give. */
export const PROBLEMS = { "4xx": ProblemDetails, "5xx": ProblemDetails } as const;

/** A body that knows no other fields than `properties`. */
export const Strict = <P extends Type.TProperties>(properties: P, options: Type.TObjectOptions = {}) =>
  Type.Object(properties, { ...options, additionalProperties: false });

/** A list and the cursor of its next page. */
export const List = <T extends Type.TSchema>(item: T) =>
  Type.Object({ items: Type.Array(item), next: Nullable(Type.String()) });

/** How the OpenAPI document says that a route needs a session. */
export const SIGNED_IN = [{ bearer: [] }, { cookie: [] }];
