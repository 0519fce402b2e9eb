export * from "./address-guard.ts";
export * from "./fetch-allow.ts";
export * from "./guarded-agent.ts";
export * from "./poster.ts";
export * from "./retry-after.ts";
