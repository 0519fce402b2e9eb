/** What a sender is told, with a code that its mail system understands (RFC 5321 §4.2, RFC 3463). */
export class SmtpRefusal extends Error {
  override readonly name = "SmtpRefusal";
  /** Read by smtp-server. 4xx: the sender tries again. */
  readonly responseCode: number;

  constructor(code: number, enhanced: string, sentence: string, options?: ErrorOptions) {
    super(`${enhanced} ${sentence}`, options);
    this.responseCode = code;
  }
}

/** Something of ours is not there at the moment: the sender keeps the message and tries again. */
export function laterPlease(cause: unknown): SmtpRefusal {
  return new SmtpRefusal(
    451,
    "4.3.0",
    "Tidings cannot take this at the moment; try again in a few minutes.",
    {
      cause,
    },
  );
}
