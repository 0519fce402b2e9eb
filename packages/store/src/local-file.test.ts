import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "@tidings/runtime";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { LocalFile } from "./local-file.ts";
import { onlyKey, type Range } from "./rows.ts";

const keys = fc.stringMatching(/^[ab]\/?[cd]?$/);
const ranges = fc.oneof(
  keys.map(onlyKey),
  fc.record<Range>(
    { from: keys, to: keys, limit: fc.integer({ min: 1, max: 3 }), reverse: fc.boolean() },
    { requiredKeys: ["from", "to"] },
  ),
);

test("several ranges asked for together hold what each holds, in its order", () => {
  const folder = mkdtempSync(join(tmpdir(), "local-file-"));
  const file = LocalFile.open(join(folder, "shard.sqlite"), "shard", silentLog());
  onTestFinished(() => {
    file.close();
    rmSync(folder, { recursive: true });
  });
  let seq = 0;
  const rows = fc.uniqueArray(fc.tuple(fc.constantFrom("alice", "bob"), keys), { selector: String });
  fc.assert(
    fc.property(rows, fc.array(ranges, { minLength: 1, maxLength: 6 }), (present, asked) => {
      const all = [...file.all()].map((row) => ({ ...row, value: null }));
      file.apply(all, { epoch: 1, seq: ++seq });
      file.apply(
        present.map(([avatar, key]) => ({ avatar, key, value: `${avatar} ${key}` })),
        { epoch: 1, seq: ++seq },
      );
      const each = asked.flatMap((range) => file.list("alice", range));
      expect(file.listSeveral("alice", asked)).toEqual(each);
    }),
  );
});
