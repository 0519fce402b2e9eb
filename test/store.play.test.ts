import { Table } from "@tidings/store";
import { inject } from "vitest";
import { describeCheckpoints } from "../packages/testkit/src/describe-checkpoints.ts";
import { describeStore } from "../packages/testkit/src/describe-store.ts";

const endpoint = inject("dynamoEndpoint");

describeStore("the embedded DynamoDB", () => new Table({ endpoint, table: "store-plays" }));
describeCheckpoints("the embedded DynamoDB", () => new Table({ endpoint, table: "store-plays" }));
