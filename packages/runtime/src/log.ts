import { type Level, type Logger, pino, symbols } from "pino";
import { LogTaps, levelNumber } from "./log-taps.ts";

export type Log = Logger;

/** Fields that never reach a log, wherever they stand one or two levels deep. */
const SECRETS = ["password", "secret", "token", "session", "authority", "linkCode", "phone", "body"];

/** Those that listen to this process while it runs. */
export const logTaps = new LogTaps();

/**
 * A log that writes JSON lines to standard output. `error` = a person must look, `warn` = it recovered, `info` = state
 * changed, `debug` = stanzas. Level from TIDINGS_LOG_LEVEL (default info). A line about a notification has its id as `trace`.
 */
export function createLog(service: string, level: string = process.env.TIDINGS_LOG_LEVEL || "info"): Log {
  const options = {
    level,
    base: { service, pid: process.pid },
    redact: { paths: SECRETS.flatMap((field) => [field, `*.${field}`]), censor: "[redacted]" },
  };
  // Synchronous: what is still to be written when the process exits, and nobody reads any more, is tried for ever otherwise.
  const output = pino.destination({ fd: 1, sync: true });
  const least = levelNumber(level);
  const stream = {
    [symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string): void {
      if (this.lastLevel >= least) output.write(line);
      logTaps.tell(this.lastLevel, line);
    },
  };
  const log = pino(options, stream);
  logTaps.serve((lowest) => {
    log.level = lowest !== null && levelNumber(lowest) < least ? lowest : level;
  });
  return log;
}

/** A log that says nothing, for tests. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}

export type LogLevel = Level;
