/** How many commits are in journals, written by this process: what its load is measured by. */
import { counter } from "@tidings/runtime";

const COMMITS = counter("tidings_commits_total", "Turns that are in the journal.");
const RECORDS = counter("tidings_journal_records_total", "Records that hold them: group commits.");
let total = 0;

/** One record with `commits` is in the journal. */
export function count(commits: number): void {
  total += commits;
  COMMITS.inc(commits);
  RECORDS.inc();
}

/** Since the process began. */
export function commitsSoFar(): number {
  return total;
}
