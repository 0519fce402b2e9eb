import { describeCheckpoints } from "../../testkit/src/describe-checkpoints.ts";
import { describeStore } from "../../testkit/src/describe-store.ts";
import { MemoryTable } from "../../testkit/src/memory-table.ts";

describeStore("the table in memory", () => new MemoryTable());
describeCheckpoints("the table in memory", () => new MemoryTable());
