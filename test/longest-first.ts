/** Begins with the files that take longest, so that none of them is left alone at the end: where nothing is known of an earlier run. */
import { basename } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Longest first. */
const LONG = [
  "other-channels.play.test.ts",
  "fleet.play.test.ts",
  "accounts.play.test.ts",
  "mail.play.test.ts",
  "hostile-feeds.play.test.ts",
  "ownership.test.ts",
  "protocol.test.ts",
  "host.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.indexOf(basename(moduleId));
      return at < 0 ? LONG.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
