/** The inside of a reading thread: one task in, one reading out. */
import { parentPort } from "node:worker_threads";
import type { ReadingTask } from "./document-reader.ts";
import { readDocument } from "./read-document.ts";

parentPort?.on("message", async ({ document, isCareful }: ReadingTask) => {
  parentPort?.postMessage(await readDocument(document, isCareful));
});
parentPort?.postMessage("ready");
