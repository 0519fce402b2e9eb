import { expect, test } from "vitest";
import { ServerLives } from "./server-lives.ts";

test("a server that runs on is in one life, whatever the seconds and the way are rounded to", () => {
  const lives = new ServerLives();
  expect(lives.heard("d.test", 10, 20_000, 20_000)).toBe(10_000);
  expect(lives.heard("d.test", 10, 20_900, 20_950)).toBeNull();
  expect(lives.heard("d.test", 19, 30_000, 34_000)).toBeNull();
});

test("a server that has run for less time than since it was last heard of lives anew", () => {
  const lives = new ServerLives();
  lives.heard("d.test", 100, 200_000, 200_000);
  expect(lives.heard("d.test", 3, 210_000, 210_100)).toBe(207_100);
  expect(lives.heard("d.test", 4, 211_000, 211_100)).toBeNull();
  expect(lives.heard("other.test", 4, 211_000, 211_100)).toBe(207_100);
});

test("a server whose seconds never grow is believed five times, and not a sixth time", () => {
  const lives = new ServerLives();
  const heard = [1, 2, 3, 4, 5, 6, 7, 8].map((at) => lives.heard("d.test", 0, at * 10_000, at * 10_000));
  expect(heard.filter((since) => since !== null)).toHaveLength(6);
  expect(heard.at(-1)).toBeNull();
});
