import { describeStore } from "../../testkit/src/describe-store.ts";
import { MemoryTable } from "../../testkit/src/memory-table.ts";

describeStore("the table in memory", () => new MemoryTable());
