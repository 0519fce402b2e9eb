/** Whether what came at `receivedAt` is out of the history by `nowAt`; all in (epoch) milliseconds. */
export function isPastRetention(receivedAt: number, retentionMs: number, nowAt: number): boolean {
  return nowAt - receivedAt >= retentionMs;
}
