/** Errors as a client sees them: problem details (RFC 9457), with a sentence that says what to do. */
import { STATUS_CODES } from "node:http";
import { CallError } from "@tidings/protocol";
import Type, { type Static } from "typebox";

export const ProblemDetails = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "What happened, and what to do." }),
    errors: Type.Optional(
      Type.Array(Type.Object({ detail: Type.String(), pointer: Type.String() }), {
        description: "Each thing that is wrong with a document, and where (JSON pointer).",
      }),
    ),
  },
  { $id: "Problem", description: "Problem details (RFC 9457)." },
);
export type ProblemDetails = Static<typeof ProblemDetails>;

interface ProblemOptions extends ErrorOptions {
  readonly retryAfterSeconds?: number;
  readonly errors?: NonNullable<ProblemDetails["errors"]>;
}

/** An answer with an error status. `message` is the sentence for the person who asked. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly retryAfterSeconds: number | null;
  readonly errors: NonNullable<ProblemDetails["errors"]>;

  constructor(status: number, message: string, options: ProblemOptions = {}) {
    super(message, options);
    this.status = status;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.errors = options.errors ?? [];
  }

  get details(): ProblemDetails {
    return {
      type: "about:blank",
      title: STATUS_CODES[this.status] ?? "Error",
      status: this.status,
      detail: this.message,
      ...(this.errors.length === 0 ? {} : { errors: this.errors }),
    };
  }
}

const RETRY_AFTER_SECONDS = 2;
/** After which what is asked for too often may be asked for again. */
const LATER_SECONDS = 60;

/** The part of Tidings that answers is not there at the moment. */
export function unavailable(cause: unknown): Problem {
  const sentence = "Tidings cannot answer this at the moment; try again in a few seconds.";
  return new Problem(503, sentence, { cause, retryAfterSeconds: RETRY_AFTER_SECONDS });
}

/** The answer to what does not exist, at least not for who asks. */
export function nothingHere(): Problem {
  return new Problem(404, "There is nothing under this address; see /docs for what there is.");
}

export const SIGN_IN_FIRST =
  "Sign in first: send a token from POST /v1/sessions as Authorization: Bearer, or its cookie.";

/** What an avatar's refusal (RFC 6120 §8.3) is in HTTP. */
export function problemOfCall(error: CallError): Problem {
  if (error.type === "wait") return unavailable(error);
  switch (error.condition) {
    case "item-not-found":
      return new Problem(404, error.message, { cause: error });
    case "conflict":
      return new Problem(409, error.message, { cause: error });
    case "not-authorized":
      return new Problem(401, SIGN_IN_FIRST, { cause: error });
    case "forbidden":
      return new Problem(403, error.message, { cause: error });
    case "policy-violation":
      return new Problem(429, error.message, { cause: error, retryAfterSeconds: LATER_SECONDS });
    case "bad-request":
    case "not-acceptable":
    case "resource-constraint":
    case "jid-malformed":
      return new Problem(422, error.message, { cause: error });
    default:
      return unavailable(error);
  }
}

interface HttpError {
  readonly statusCode?: number;
  readonly code?: string;
  readonly validation?: readonly {
    readonly instancePath?: string;
    readonly message?: string;
    readonly params?: unknown;
  }[];
  readonly validationContext?: string;
}

const SENTENCES: Readonly<Record<number, string>> = {
  400: "This request cannot be read: its body is not JSON, or its address is malformed.",
  413: "This request is larger than 1 MB; send less at a time.",
  415: "Send the body as JSON, with Content-Type: application/json.",
  431: "The headers of this request are too large.",
};

/** Any error as a problem. What nobody foresaw is a 500 whose sentence tells nothing of the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CallError) return problemOfCall(error);
  const { statusCode, validation, validationContext } = error as HttpError;
  if (validation !== undefined) return problemOfValidation(validation, validationContext ?? "request", error);
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new Problem(statusCode, SENTENCES[statusCode] ?? "This request cannot be served; see /docs.", {
      cause: error,
    });
  }
  const sentence =
    "Tidings made a mistake; it is in the log. Try again, and tell the operator when it stays.";
  return new Problem(500, sentence, { cause: error });
}

/** A path that no id can have names nothing; everything else is said with its place. */
function problemOfValidation(
  errors: NonNullable<HttpError["validation"]>,
  part: string,
  cause: unknown,
): Problem {
  if (part === "params") return new Problem(404, "There is nothing under this address.", { cause });
  const first = errors[0];
  const place = `${part}${(first?.instancePath ?? "").replaceAll("/", ".")}`;
  return new Problem(
    422,
    `${place} ${first?.message ?? "has the wrong shape"}${unknownNames(first?.params)}; see /docs.`,
    { cause },
  );
}

function unknownNames(params: unknown): string {
  const names = (params as { additionalProperties?: unknown } | undefined)?.additionalProperties;
  return Array.isArray(names) ? ` (${names.slice(0, 5).join(", ").slice(0, 100)})` : "";
}
