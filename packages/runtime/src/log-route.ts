/**
 * `GET /log?level=debug` beside a process's metrics: its log as it goes on, one JSON object a line, for who shows the operators'
 * token. A listener that does not keep up misses lines and is told how many; the process waits for nobody.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { levels } from "pino";
import { isSameSecret } from "./is-same-secret.ts";
import { type LogLevel, logTaps } from "./log.ts";

/** Listeners at a time. */
const MOST_LISTENERS = 8;
/** What waits for one listener (bytes). */
const MOST_WAITING = 1_048_576;
let listeners = 0;

/** Answers `request`; `token` is what has to be shown, and null lets nobody in. */
export function answerLog(request: IncomingMessage, response: ServerResponse, token: string | null): void {
  const level = new URL(request.url ?? "", "http://localhost").searchParams.get("level") ?? "info";
  if (token === null || !isSameSecret(request.headers.authorization ?? "", `Bearer ${token}`))
    return void response.writeHead(404).end();
  if (!isLevel(level)) return void response.writeHead(400).end(`There is no level ${level.slice(0, 20)}.\n`);
  if (listeners >= MOST_LISTENERS) return void response.writeHead(429).end("Too many listen already.\n");
  listeners++;
  response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
  response.flushHeaders();
  let missed = 0;
  const close = logTaps.open(level, (line) => {
    if (response.writableLength > MOST_WAITING) missed++;
    else {
      if (missed > 0) response.write(`${JSON.stringify(missedLine(missed))}\n`);
      missed = 0;
      response.write(line);
    }
  });
  response.once("close", () => {
    listeners--;
    close();
  });
}

function isLevel(level: string): level is LogLevel {
  return Object.hasOwn(levels.values, level);
}

function missedLine(missed: number) {
  return {
    level: levels.values.warn,
    time: Date.now(),
    missed,
    msg: "lines were missed: who listens is too slow",
  };
}
