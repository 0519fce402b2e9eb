export * from "./describe-bus.ts";
export * from "./describe-checkpoints.ts";
export * from "./describe-queue.ts";
export * from "./describe-store.ts";
export * from "./eventually.ts";
export * from "./memory-table.ts";
export * from "./store-stage.ts";
