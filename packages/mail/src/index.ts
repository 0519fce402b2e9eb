export * from "./answer-address.ts";
export * from "./from-machine.ts";
export * from "./mail-address.ts";
