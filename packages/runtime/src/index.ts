export * from "./back-off.ts";
export * from "./background.ts";
export * from "./config.ts";
export * from "./crash-point.ts";
export * from "./log.ts";
export * from "./secret-file.ts";
export * from "./service.ts";
export * from "./turnstile.ts";
