import { CallError } from "@tidings/protocol";
import type { Queue } from "@tidings/queue";

/**
 * The part of the queue that the agent uses, while RabbitMQ may still be away: deliveries do not need it, so they do not
 * wait for it. Until `connecting` resolves, each request rejects with CallError of type `wait`.
 */
export function lateQueue(connecting: Promise<Queue>): Pick<Queue, "request"> {
  let connected: Queue | null = null;
  void connecting.then((queue) => {
    connected = queue;
  });
  return {
    async request(queue, body, timeoutMs) {
      if (connected === null)
        throw new CallError("wait", "recipient-unavailable", "RabbitMQ is not connected yet.");
      return connected.request(queue, body, timeoutMs);
    },
  };
}
