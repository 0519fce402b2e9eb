/** Installations of the bench's own: each in a folder that is gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServiceKind } from "../run/services.ts";
import { type Stack, startStack } from "../run/stack.ts";
import type { ProcessSpec, Tell } from "../run/supervised.ts";

/** Base domain of every installation of the bench. */
export const DOMAIN = "tidings.localhost";

export interface Wanted<Prepared> {
  /** Services to start; default all. */
  readonly services?: readonly ServiceKind[];
  /** Number of avatar hosts; default 2. */
  readonly hosts?: number;
  /** Fills the state folder before anything is started. */
  readonly prepare?: (home: string, domain: string) => Promise<Prepared>;
  /** Changes how a process is started. */
  readonly adapt?: (spec: ProcessSpec, home: string) => ProcessSpec;
}

/** Runs `work` on an installation as `wanted`. `tell` hears each step of its start. */
export async function onStack<Result, Prepared = void>(
  tell: Tell,
  { services, hosts = 2, prepare, adapt }: Wanted<Prepared>,
  work: (stack: Stack, prepared: Prepared) => Promise<Result>,
): Promise<Result> {
  const home = await mkdtemp(join(tmpdir(), "tidings-bench-"));
  try {
    const prepared = (await prepare?.(home, DOMAIN)) as Prepared;
    tell("starting an installation");
    const stack = await startStack({
      home,
      domain: DOMAIN,
      webPort: "free",
      xmppPort: "free",
      hosts,
      pollMinSeconds: 86_400,
      fetchAllow: "127.0.0.0/8",
      logLevel: process.env.TIDINGS_LOG_LEVEL ?? "warn",
      tell,
      ...(services === undefined ? {} : { services }),
      adapt: async (spec) => adapt?.(spec, home) ?? spec,
    });
    try {
      return await work(stack, prepared);
    } finally {
      await stack.stop();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** An avatar host that is killed stays dead, so that another one has to take its shards; everything else as it is. */
export function hostsStayDead(spec: ProcessSpec): ProcessSpec {
  const never = { firstMs: 3_600_000, maxMs: 3_600_000 };
  return spec.name.startsWith("avatar-host") ? { ...spec, backOff: never } : spec;
}
