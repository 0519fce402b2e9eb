export * from "./bus.ts";
export * from "./check-password.ts";
export * from "./connect-client.ts";
export * from "./connect-component.ts";
export * from "./errors.ts";
export * from "./memory-bus.ts";
