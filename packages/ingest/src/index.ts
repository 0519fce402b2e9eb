export * from "./hub-secrets.ts";
export * from "./plain-text.ts";
export * from "./standings.ts";
