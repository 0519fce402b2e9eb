import type { PublisherStanding } from "@tidings/protocol";
import { expect, test } from "vitest";
import { SourceStandings } from "./standings.ts";

function standings(answers: Record<string, PublisherStanding>) {
  const asked: string[] = [];
  const known = new SourceStandings(async (source) => {
    asked.push(source);
    return answers[source] ?? "unknown";
  });
  return { known, asked };
}

test("what is open or ended is asked once in a while, and what there is not each time", async () => {
  const { known, asked } = standings({ a: "open", b: "ended" });
  for (let time = 0; time < 2; time++)
    expect([await known.of("a"), await known.of("b"), await known.of("c")]).toEqual([
      "open",
      "ended",
      "unknown",
    ]);
  expect(asked).toEqual(["a", "b", "c", "c"]);
});

test("when nobody answers, that is not believed", async () => {
  let isAway = true;
  const known = new SourceStandings(async () => {
    if (isAway) throw new Error("away");
    return "open";
  });
  await expect(known.of("a")).rejects.toThrow("away");
  isAway = false;
  expect(await known.of("a")).toBe("open");
});
