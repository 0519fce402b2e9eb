import fc from "fast-check";
import { expect, test } from "vitest";
import type { Row } from "../rows.ts";
import { consistentCut, linksOf, type Trail } from "./cut.ts";

const row = (shard: number, key: string, value: string | null): Row => ({ avatar: `_${shard}`, key, value });
const sealed = (from: number, to: number, seq: number) => row(from, `outseq/${to}`, String(seq));
const forgotten = (from: number, to: number, seq: number) => row(from, `out/${to}/${seq}`, null);
const applied = (to: number, from: number, seq: number) => row(to, `in/${from}`, String(seq));

function trail(shard: number, start: Row[], ...records: Row[][]): Trail {
  const steps = records.map((rows, index) => ({ seq: index + 1, links: linksOf(shard, rows) }));
  return { start: linksOf(shard, start), steps };
}

test("a frame whose sending was read too early is taken out of its receiver, with what followed from it", () => {
  const cut = consistentCut(
    new Map([
      [1, trail(1, [sealed(1, 2, 5)])],
      [2, trail(2, [], [applied(2, 1, 5)], [applied(2, 1, 6), sealed(2, 3, 1)], [applied(2, 1, 7)])],
      [3, trail(3, [], [applied(3, 2, 1)])],
    ]),
  );
  expect([...cut.values()]).toEqual([0, 1, 0]);
});

test("a frame that was forgotten and not yet applied comes back", () => {
  const cut = consistentCut(
    new Map([
      [1, trail(1, [sealed(1, 2, 5)], [forgotten(1, 2, 4)], [forgotten(1, 2, 5)])],
      [2, trail(2, [applied(2, 1, 4)])],
    ]),
  );
  expect(cut.get(1)).toBe(1);
});

/** Runs shards that send, apply and acknowledge frames, and reads their journals at different times. */
test("of any run, however its journals were read, the cut agrees and leaves out nothing from before the reading", () => {
  const steps = fc.array(fc.tuple(fc.nat(2), fc.nat(2), fc.constantFrom("seal", "apply", "forget")), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(steps, fc.array(fc.nat(80), { minLength: 3, maxLength: 3 }), (moves, readAfter) => {
      const journals: Row[][][] = [[], [], []];
      const lengths: number[][] = [];
      const counts = new Map<string, number>();
      const count = (kind: string, from: number, to: number) => counts.get(`${kind}${from}-${to}`) ?? 0;
      for (const [from, to, kind] of moves) {
        lengths.push(journals.map(({ length }) => length));
        const limit = { seal: 1_000, apply: count("seal", from, to), forget: count("apply", from, to) }[kind];
        const next = count(kind, from, to) + 1;
        if (from === to || next > limit) continue;
        counts.set(`${kind}${from}-${to}`, next);
        if (kind === "seal") journals[from]?.push([sealed(from, to, next)]);
        if (kind === "apply") journals[to]?.push([applied(to, from, next)]);
        if (kind === "forget") journals[from]?.push([forgotten(from, to, next)]);
      }
      lengths.push(journals.map(({ length }) => length));
      const at = (time: number, shard: number) => lengths[Math.min(time, lengths.length - 1)]?.[shard] ?? 0;
      const trails = journals.map((records, shard) =>
        trail(shard, [], ...records.slice(0, at(readAfter[shard] ?? 0, shard))),
      );

      const cut = consistentCut(new Map(trails.entries()));

      const begun = Math.min(...readAfter);
      for (const [shard, taken] of cut) expect(taken).toBeGreaterThanOrEqual(at(begun, shard));
      const links = trails.map(({ steps: all }, shard) =>
        linksOf(shard, journals[shard]?.slice(0, Math.min(all.length, cut.get(shard) ?? 0)).flat() ?? []),
      );
      for (const [to, { applied: theirs }] of links.entries())
        for (const [from, seq] of theirs) expect(seq).toBeLessThanOrEqual(links[from]?.sealed.get(to) ?? 0);
      for (const [from, { forgotten: theirs }] of links.entries())
        for (const [to, seq] of theirs) expect(seq).toBeLessThanOrEqual(links[to]?.applied.get(from) ?? 0);
    }),
  );
});
