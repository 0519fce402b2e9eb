/**
 * What an operator counts: Prometheus' text, served on a port of its own on loopback. The port is whatever is free; where it is
 * stands in a file as Prometheus' file-based discovery reads it (`file_sd_configs`).
 *
 *     TIDINGS_METRICS_FILE          that file; empty: nothing is served
 *     TIDINGS_METRICS_ADDRESS       instead of loopback, where the network is the service's own
 *     TIDINGS_METRICS_PORT          instead of whichever is free
 *     TIDINGS_OPERATOR_TOKEN_FILE   the token of who may hear the log there (log-route.ts); empty: nobody may
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname } from "node:path";
import { performance } from "node:perf_hooks";
import { Counter, Gauge, Histogram, register } from "prom-client";
import { answerLog } from "./log-route.ts";

/** Prometheus' text and its media type. */
export async function metricsText(): Promise<{ readonly type: string; readonly text: string }> {
  return { type: register.contentType, text: await register.metrics() };
}

/** Counts what happens, by the given labels: `_total` at the end of its name. */
export function counter<L extends string = never>(
  name: string,
  help: string,
  labels: readonly L[] = [],
): Counter<L> {
  return new Counter({ name, help, labelNames: labels });
}

/** A figure that is read when it is asked for; it takes the place of one with the same name. */
export function gauge(name: string, help: string, read: () => number): void {
  register.removeSingleMetric(name);
  new Gauge({
    name,
    help,
    collect() {
      this.set(read());
    },
  });
}

/** The same for several at once, told apart by `label`: those that `read` names when it is asked. It may take its time. */
export function gauges(
  name: string,
  help: string,
  label: string,
  read: () => Iterable<readonly [string, number]> | Promise<Iterable<readonly [string, number]>>,
): void {
  register.removeSingleMetric(name);
  new Gauge({
    name,
    help,
    labelNames: [label],
    async collect() {
      const figures = await read();
      this.reset();
      for (const [value, figure] of figures) this.set({ [label]: value }, figure);
    },
  });
}

/** Bounds of what should take a moment: from a millisecond to half a minute (seconds). */
const MOMENTS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

/** How long something takes, in seconds (`_seconds` at the end of its name), counted by the upper `bounds`. */
export function histogram<L extends string = never>(
  name: string,
  help: string,
  {
    labels = [],
    bounds = MOMENTS,
  }: { readonly labels?: readonly L[]; readonly bounds?: readonly number[] } = {},
): Histogram<L> {
  return new Histogram({ name, help, labelNames: labels, buckets: [...bounds] });
}

export interface MetricsPlace {
  /** Says where it is, for Prometheus' file-based discovery. */
  readonly file: string;
  readonly address: string;
  /** 0: whichever is free. */
  readonly port: number;
  /** Opens the log; null: nobody may hear it. */
  readonly token: string | null;
  /** Whether the service does its work: `GET /ready` answers 200, else 503. */
  readonly isReady: () => boolean;
}

/**
 * Serves the metrics of the service `name`, and its log for who shows `token`; resolves to the function that ends that.
 */
export async function serveMetrics(
  name: string,
  { file, address, port, token, isReady }: MetricsPlace,
): Promise<() => Promise<void>> {
  watchProcess();
  const server = createServer((request, response) => {
    if (/^\/log(\?|$)/.test(request.url ?? "")) return answerLog(request, response, token);
    if (request.url === "/ready") return void response.writeHead(isReady() ? 200 : 503).end();
    if (request.url !== "/metrics") return void response.writeHead(404).end();
    return void metricsText().then(({ type, text }) =>
      response.writeHead(200, { "content-type": type }).end(text),
    );
  });
  await new Promise<void>((listening) => server.listen(port, address, listening));
  server.unref();
  const target = `${address}:${(server.address() as AddressInfo).port}`;
  const labels = { service: name, process: basename(file, ".json") };
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify([{ targets: [target], labels }])}\n`);
  return async () => {
    rmSync(file, { force: true });
    server.closeAllConnections();
    await new Promise<void>((closed) => server.close(() => closed()));
  };
}

/** Of the process itself: no timer runs for it. */
function watchProcess(): void {
  gauge("process_resident_memory_bytes", "Memory in RAM.", () => process.memoryUsage.rss());
  gauge("nodejs_heap_used_bytes", "Used of the heap.", () => process.memoryUsage().heapUsed);
  gauge("process_uptime_seconds", "Since the process began.", () => process.uptime());
  gauge("process_cpu_seconds", "Processor time used.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000_000;
  });
  let last = performance.eventLoopUtilization();
  gauge(
    "nodejs_eventloop_utilization",
    "Share of the time in which the event loop was busy, since asked last.",
    () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
  );
}
