/** The inside of a reading thread: one task in, one reading out. */
import { parentPort } from "node:worker_threads";
import { READY, type ReadingAnswer, type ReadingTask } from "./document-reader.ts";
import { readDocument } from "./read-document.ts";

const say = (answer: ReadingAnswer) => parentPort?.postMessage(answer);

parentPort?.on("message", async ({ number, document, isCareful }: ReadingTask) => {
  say({ number, reading: await readDocument(document, isCareful) });
});
say({ number: READY, reading: { kind: "broken" } });
