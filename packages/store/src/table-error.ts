/** What a table that refuses is called, in words that say where and what to do. */

/** The table refuses, and no repetition heals it. `message` names the table, the endpoint and the way out. */
export class TableRefusedError extends Error {
  override readonly name = "TableRefusedError";
}

/** Nobody answers at the table's endpoint. `message` names it, and says what to check. */
export class TableUnreachableError extends Error {
  override readonly name = "TableUnreachableError";
}

/** Where requests go, for sentences. */
export interface TablePlace {
  readonly table: string;
  /** `aws` or a URL. */
  readonly endpoint: string;
}

const CREDENTIALS =
  "the credentials are not taken; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the role of this machine, and the region";

/** The way out for each refusal, by the name of DynamoDB's error. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  ResourceNotFoundException:
    "it does not exist (any more); check TIDINGS_DYNAMODB_ENDPOINT and AWS_REGION, or restore the table from a back-up before starting again",
  AccessDeniedException:
    "the request is denied; allow dynamodb:GetItem, PutItem, UpdateItem, Query, BatchWriteItem, DescribeTable and CreateTable on it, and Scan for back-ups",
  UnrecognizedClientException: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  IncompleteSignatureException: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
  CredentialsProviderError: CREDENTIALS,
  ValidationException: "the request is not valid for it; it needs the keys pk and sk, both of type S",
};

/** `error` as {@link TableRefusedError} when no repetition heals it, else as it came. */
export function refusalOf(error: unknown, { table, endpoint }: TablePlace): unknown {
  const way = error instanceof Error ? wayOut(error) : undefined;
  if (way === undefined) return error;
  const { name, message } = error as Error;
  return new TableRefusedError(`DynamoDB table "${table}" at ${endpoint}: ${way} (${name}: ${message})`, {
    cause: error,
  });
}

/** `error` of a first request as {@link TableUnreachableError} when no answer came at all, else as it came. */
export function unreachableOf(error: unknown, { endpoint }: TablePlace): unknown {
  const { $metadata, message } = error as { $metadata?: { httpStatusCode?: number }; message?: string };
  if ($metadata === undefined || $metadata.httpStatusCode !== undefined) return error;
  return new TableUnreachableError(
    `DynamoDB at ${endpoint} does not answer (${message}); start it, or check TIDINGS_DYNAMODB_ENDPOINT and the network`,
    { cause: error },
  );
}

/** Whether no repetition heals `error`. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TableRefusedError || (error instanceof Error && wayOut(error) !== undefined);
}

function wayOut({ name, message }: Error): string | undefined {
  if (message === "Region is missing") return "no region is set; set AWS_REGION";
  return Object.hasOwn(WAYS_OUT, name) ? WAYS_OUT[name] : undefined;
}
