/** What comes through the queue of a shard for its sources, and the jobs that its sources put on queues. */
import Type, { type Static } from "typebox";
import type { HubJob } from "./hubs.ts";
import { type PollJob, PollResult, pollPart, QUEUES } from "./jobs.ts";
import { type CallbackJob, CallbackResult, Publication } from "./publishing.ts";

export const ShardMessage = Type.Union([PollResult, Publication, CallbackResult]);
export type ShardMessage = Static<typeof ShardMessage>;

export type Job = PollJob | HubJob | CallbackJob;

/** The queue for `job`. */
export function queueFor(job: Job): string {
  if ("hub" in job) return QUEUES.poll(pollPart(job.hub.url));
  if (!("answer" in job)) return QUEUES.poll(pollPart(job.url));
  return job.url.startsWith("mailto:") ? QUEUES.answerMail : QUEUES.callback;
}
