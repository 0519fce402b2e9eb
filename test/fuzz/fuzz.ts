/**
 * Mutants of feeds and mails through the readers of the ingestors: each is read or refused, within its time, and what comes of
 * it may travel. A mutant that breaks something is found again by its seed.
 */
import { check, Item, isSendable } from "@tidings/protocol";
import { itemFor, readMail } from "../../services/ingest-email/src/read-mail.ts";
import { DocumentReader } from "../../services/ingest-rss/src/document-reader.ts";
import { Random } from "../crash/random.ts";
import { mutate } from "./mutate.ts";
import { feedSpecimens, mailSpecimens } from "./specimens.ts";

export interface Fuzzing {
  /** The first seed; each mutant has one of its own, one higher. */
  readonly seed: number;
  readonly runs: number;
  /** Hears the number of mutants so far, now and then. */
  readonly tell?: (done: number) => void;
}

export interface Fuzzed {
  /** How many were read as what they were meant as; the rest was refused. */
  readonly read: number;
  /** The longest time of a document as it is. */
  readonly originalMs: number;
  /** The longest time of a mutant, and the seed of it. */
  readonly slowestMs: number;
  readonly slowestSeed: number;
}

/** No feed takes longer: after twice its time and the start of two threads a reader has answered (milliseconds). */
const FEED_MS = 40_000;
/** A mail is read in the process that takes mail (milliseconds). */
const MAIL_MS = 5_000;
const TELL_EVERY = 500;

/** Reads mutants of feeds in threads, as an ingestor does. Throws for one that breaks something, naming its seed. */
export async function fuzzFeeds(fuzzing: Fuzzing): Promise<Fuzzed> {
  const reader = new DocumentReader();
  const specimens = feedSpecimens();
  const url = "https://feeds.example/feed";
  try {
    return await fuzz(fuzzing, specimens, FEED_MS, async (body) => {
      const reading = await reader.read({ body, contentType: "", url, source: "rss.fuzz" });
      if (reading.kind !== "feed") return false;
      for (const item of reading.items) mustTravel(item);
      if (new Set(reading.items.map(({ id }) => id)).size !== reading.items.length)
        throw new Error("an id twice");
      return true;
    });
  } finally {
    await reader.close();
  }
}

/** Reads mutants of mails. Throws as above; that the parser refuses one is well. */
export function fuzzMails(fuzzing: Fuzzing): Promise<Fuzzed> {
  const context = { ownListDomain: "in.d.test", nowAt: Date.UTC(2026, 10, 25) };
  return fuzz(fuzzing, mailSpecimens(), MAIL_MS, async (raw) => {
    const mail = await readMail(raw, context).catch(() => null);
    if (mail !== null) mustTravel(itemFor("mail.fuzz", mail));
    return mail !== null;
  });
}

async function fuzz(
  { seed: first, runs, tell }: Fuzzing,
  specimens: readonly Buffer[],
  longestMs: number,
  reads: (mutant: Buffer) => Promise<boolean>,
): Promise<Fuzzed> {
  let [read, slowestMs, slowestSeed, originalMs] = [0, 0, first, 0];
  for (const specimen of specimens) {
    const startedAt = performance.now();
    await reads(specimen);
    originalMs = Math.max(originalMs, performance.now() - startedAt);
  }
  for (let seed = first; seed < first + runs; seed++) {
    const random = new Random(seed);
    const mutant = mutate(random.pick(specimens), random);
    const startedAt = performance.now();
    try {
      if (await reads(mutant)) read++;
    } catch (cause) {
      throw new Error(`seed ${seed} (${mutant.length} bytes)`, { cause });
    }
    const tookMs = performance.now() - startedAt;
    if (tookMs > longestMs)
      throw new Error(`seed ${seed} (${mutant.length} bytes) took ${Math.round(tookMs)} ms`);
    if (tookMs > slowestMs) [slowestMs, slowestSeed] = [tookMs, seed];
    if ((seed - first + 1) % TELL_EVERY === 0) tell?.(seed - first + 1);
  }
  return { read, originalMs, slowestMs, slowestSeed };
}

function mustTravel(item: Item): void {
  check(Item, item, "item");
  for (const text of [item.title, item.link, item.summary, item.author, ...(item.categories ?? [])])
    if (text !== null && !isSendable(text)) throw new Error(`not sendable: ${JSON.stringify(text)}`);
}
