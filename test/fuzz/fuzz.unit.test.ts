/** A few mutants of each kind; `npm run test:fuzz` reads as many as one likes. */
import { expect, test } from "vitest";
import { fuzzFeeds, fuzzMails } from "./fuzz.ts";

const RUNS = 300;
const seed = Math.floor(Math.random() * 1_000_000_000);

test("mutants of feeds are read or refused, and what comes of them may travel", {
  timeout: 120_000,
}, async () => {
  const { read } = await fuzzFeeds({ seed, runs: RUNS });
  expect(read).toBeGreaterThan(0);
});

test("mutants of mails are read or refused, and what comes of them may travel", {
  timeout: 120_000,
}, async () => {
  const { read } = await fuzzMails({ seed, runs: RUNS });
  expect(read).toBeGreaterThan(0);
});
