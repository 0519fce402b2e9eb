import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { DocumentReader, READER_LIMITS, ReaderBusyError, ReaderClosedError } from "./document-reader.ts";

const rss = (description: string) =>
  `<rss version="2.0"><channel><title>T</title><item><guid>1</guid><title>t</title><description>${description}</description></item></channel></rss>`;
const documentOf = (text: string) => ({
  body: Buffer.from(text),
  contentType: "",
  url: "https://x.example/",
  source: "rss.x",
});
/** 60 KB that keep an expression of rss-parser busy for seconds. */
const SLOW = rss("&lt;p".repeat(40_000));

// Starting a thread takes long on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let reader: DocumentReader;

beforeEach(() => {
  reader = new DocumentReader({ ...READER_LIMITS, threads: 1, readMs: 500 });
});

afterEach(() => reader.close());

test("a document is read in its thread, several one after the other", async () => {
  const readings = await Promise.all(["a", "b", "c"].map((text) => reader.read(documentOf(rss(text)))));
  expect(readings).toMatchObject(["a", "b", "c"].map((summary) => ({ kind: "feed", items: [{ summary }] })));
});

test("a document that takes too long is read carefully, while the event loop goes on; then the next one is read", async () => {
  let longestMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longestMs = Math.max(longestMs, performance.now() - last);
    last = performance.now();
  }, 10);

  const slow = await reader.read(documentOf(SLOW));
  const next = await reader.read(documentOf(rss("next")));

  clearInterval(timer);
  expect(slow).toMatchObject({ kind: "feed", items: [{ title: "t" }] });
  expect(next).toMatchObject({ kind: "feed", items: [{ summary: "next" }] });
  expect(longestMs).toBeLessThan(1_000);
});

test("a closed reader says so, to those who wait too", async () => {
  const waiting = [reader.read(documentOf(SLOW)), reader.read(documentOf(SLOW))];
  const ends = Promise.all(waiting.map((read) => expect(read).rejects.toBeInstanceOf(ReaderClosedError)));
  await reader.close();
  await ends;
  await expect(reader.read(documentOf(rss("x")))).rejects.toBeInstanceOf(ReaderClosedError);
});

test("what a thread says late, that needed long to start, is taken for no reading", async () => {
  const hasty = new DocumentReader({ ...READER_LIMITS, threads: 1, startMs: 1 });
  await expect(hasty.read(documentOf(rss("a")))).rejects.toBeInstanceOf(ReaderBusyError);
  await hasty.close();
});
