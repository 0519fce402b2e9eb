import { get } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const RETRY_MS = 50;

/** Resolves when `attempt` has succeeded once, tried every 50 ms; rejects when `signal` is aborted. */
export async function retryUntil(signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const succeeded = await attempt().then(
      () => true,
      () => false,
    );
    if (succeeded) return;
    await sleep(RETRY_MS, undefined, { signal });
  }
}

/** Resolves when something accepts connections on `port` of the loopback address; rejects when nothing does. */
export function answersTcp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

/** Resolves when a GET of `url` is answered with 200; rejects on another status, no connection, or after 2 s. */
export function answersOk(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: ANSWER_WITHIN_MS }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${url} answered ${response.statusCode}`));
    });
    request.once("timeout", () =>
      request.destroy(new Error(`${url} did not answer within ${ANSWER_WITHIN_MS} ms`)),
    );
    request.once("error", reject);
  });
}

const ANSWER_WITHIN_MS = 2_000;
