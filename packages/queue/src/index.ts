export { connectQueue, type QueueSettings } from "./connect-queue.ts";
export * from "./errors.ts";
export { MemoryBroker } from "./memory-queue.ts";
export type { Consumer, Delivery, Queue, QueueStanding } from "./queue.ts";
