import { type Logger, pino } from "pino";

export type Log = Logger;

/** Fields that never reach a log, wherever they stand one or two levels deep. */
const SECRETS = ["password", "secret", "token", "session", "authority", "linkCode", "phone", "body"];

/**
 * A log that writes JSON lines to standard output. `error` = a person must look, `warn` = it recovered, `info` = state
 * changed, `debug` = stanzas. Level from TIDINGS_LOG_LEVEL (default info).
 */
export function createLog(service: string, level: string = process.env.TIDINGS_LOG_LEVEL || "info"): Log {
  const options = {
    level,
    base: { service, pid: process.pid },
    redact: { paths: SECRETS.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
  };
  // Synchronous: what is still to be written when the process exits, and nobody reads any more, is tried for ever otherwise.
  return pino(options, pino.destination({ fd: 1, sync: true }));
}

/** A log that says nothing, for tests. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}
