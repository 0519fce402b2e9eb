/** Asking a hub to send what is new of a feed (WebSub §5.1). Whether it will is said to the callback, later. */
import { hubCallbackPath, hubSecret } from "@tidings/ingest";
import type { AddressGuard, Poster } from "@tidings/outbound";
import type { HubJob } from "@tidings/protocol";
import type { Log } from "@tidings/runtime";
import { type HostManners, PostponedError } from "./host-manners.ts";

/** Hubs serve many: they are asked five times a second, and who would wait longer asks at a later poll. */
export const HUB_MANNERS = { atATime: 2, everyMs: 200, longestWaitMs: 10_000 } as const;

export interface HubMeans {
  /** Where web-api is reached from outside, without a slash at the end. */
  readonly publicUrl: string;
  /** Whether somebody has said that it is so; else only hubs in networks of one's own can reach it. */
  readonly isPublic: boolean;
  readonly key: string;
  readonly guard: Pick<AddressGuard, "exempts">;
  readonly poster: Pick<Poster, "post">;
  readonly manners: Pick<HostManners, "turn">;
  readonly log: Log;
}

/** Asks the hub of `job`. Never rejects: the source avatar asks again when nothing comes of it, and polls meanwhile. */
export async function askHub({ source, hub, leaseSeconds }: HubJob, means: HubMeans): Promise<void> {
  const { publicUrl, isPublic, key, guard, poster, manners, log } = means;
  const host = URL.parse(hub.url)?.hostname ?? "";
  try {
    if (!isPublic && !(await guard.exempts(host))) return;
    const endTurn = await manners.turn(host);
    const wish = {
      "hub.mode": "subscribe",
      "hub.topic": hub.topic,
      "hub.callback": publicUrl + hubCallbackPath(key, source),
      "hub.lease_seconds": String(leaseSeconds),
      "hub.secret": hubSecret(key, source),
    };
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = new URLSearchParams(wish).toString();
    const outcome = await poster.post({ url: hub.url, headers, body }).finally(endTurn);
    if (outcome.kind !== "taken")
      log.debug({ source, hub: hub.url, said: outcome.sentence }, "hub was asked in vain");
  } catch (error) {
    if (!(error instanceof PostponedError)) throw error;
    log.debug({ err: error, source }, "hub is not asked now");
  }
}
