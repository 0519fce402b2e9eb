/**
 * The life of a service process.
 *
 *     starting ──started──▶ serving ──SIGTERM or SIGINT──▶ stopping ──all closed, or 10 s──▶ exit
 *
 * What was opened is closed in reverse order. A second signal exits at once.
 */
import { flushCompileCache } from "node:module";
import { createLog, type Log } from "./log.ts";
import { serveMetrics } from "./metrics.ts";
import { readSecret } from "./secret-file.ts";

const STOP_DEADLINE_MS = 10_000;

export interface Service {
  readonly log: Log;
  /** Registers what `stop` must close; closed in reverse order of registration. */
  onStop(close: () => Promise<void> | void): void;
  /** Ends the process with exit code 1 after closing, because it may not or cannot go on. */
  fail(reason: string, fields?: Record<string, unknown>): void;
}

/**
 * Runs `start` as the service `name` until a signal comes. When `start` has resolved, the parent process, if there is
 * one that listens, is told `ready`. A rejected `start` or an unhandled error is logged and ends the process with code 1.
 */
export async function runService(name: string, start: (service: Service) => Promise<void>): Promise<void> {
  const log = createLog(name);
  const closers: (() => Promise<void> | void)[] = [];
  let stopping = false;
  let ready = false;

  const stop = async (code: number) => {
    if (stopping) process.exit(code || 1);
    stopping = true;
    setTimeout(() => exitLate(log), STOP_DEADLINE_MS).unref();
    for (const close of closers.reverse()) await closeQuietly(close, log);
    log.info({ code }, "stopped");
    process.exit(code);
  };
  const fail = (reason: string, fields: Record<string, unknown> = {}) => {
    log.error({ ...fields, reason }, "giving up");
    if (!stopping) void stop(1);
  };

  process.on("SIGTERM", () => void stop(0));
  process.on("SIGINT", () => void stop(0));
  process.on("disconnect", () => void stop(0));
  // Who died while this process was loading is not heard any more.
  if (process.connected === false) return await stop(0);
  process.on("uncaughtException", (error) => fail("uncaught error", { err: error }));
  process.on("unhandledRejection", (error) => fail("unhandled rejection", { err: error }));

  try {
    const metricsFile = process.env.TIDINGS_METRICS_FILE ?? "";
    const tokenFile = process.env.TIDINGS_OPERATOR_TOKEN_FILE ?? "";
    const token = tokenFile === "" ? null : await readSecret(tokenFile);
    if (metricsFile !== "") {
      const place = {
        file: metricsFile,
        address: process.env.TIDINGS_METRICS_ADDRESS || "127.0.0.1",
        port: Number(process.env.TIDINGS_METRICS_PORT || 0),
        token,
        isReady: () => ready,
      };
      closers.push(await serveMetrics(name, place));
    }
    await start({ log, onStop: (close) => closers.push(close), fail });
    ready = true;
    log.info("ready");
    process.send?.("ready");
    // Without the stripped sources on disk the next start would need the type stripper, and its memory, again.
    flushCompileCache();
  } catch (error) {
    fail(error instanceof Error ? error.message : "start failed", { err: error });
  }
}

async function closeQuietly(close: () => Promise<void> | void, log: Log): Promise<void> {
  try {
    await close();
  } catch (error) {
    log.warn({ err: error }, "closing failed");
  }
}

function exitLate(log: Log): void {
  log.error({ deadlineMs: STOP_DEADLINE_MS }, "stopping took too long");
  process.exit(1);
}
