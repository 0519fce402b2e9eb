import { CALLS, type CallArgs, CallError, type CallName, check, MalformedError } from "@tidings/protocol";

/** The arguments of a call. Throws CallError when they are not such. */
export function argsOf<N extends CallName>(name: N, args: unknown): CallArgs<N> {
  try {
    return check(CALLS[name].args, args, name) as CallArgs<N>;
  } catch (error) {
    if (error instanceof MalformedError) throw new CallError("modify", "bad-request", error.message);
    throw error;
  }
}
