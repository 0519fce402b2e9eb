export { Checkpoint } from "./checkpoint.ts";
export { DiskError, TornFileError } from "./file-error.ts";
export * from "./journal.ts";
export * from "./leases.ts";
export * from "./rows.ts";
export * from "./shard-store.ts";
export { type Item, Table, type TableOptions } from "./table.ts";
