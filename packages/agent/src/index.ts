export * from "./bounded-map.ts";
export * from "./delivery-memory.ts";
export * from "./orders.ts";
export * from "./rate-limit.ts";
export * from "./reporter.ts";
export * from "./standing.ts";
