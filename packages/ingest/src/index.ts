export * from "./plain-text.ts";
export * from "./standings.ts";
