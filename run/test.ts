/** `npm test` after the preparation: every check, whatever the others say. Exit code 1 when one failed. */
import { checksIn, runCheck } from "./checks.ts";
import { onStopSignals } from "./stop-signals.ts";
import { sum, sumLine, type Tally, tallyOfCheck } from "./tally.ts";
import { openTerminal } from "./terminal.ts";
import { leftBehind, makeTestFolder, removeTestFolder, testEnvironment } from "./test-folder.ts";
import { secondsSince } from "./time-text.ts";

const terminal = openTerminal();
const stopped = new AbortController();
onStopSignals(
  () => stopped.abort(),
  () => process.exit(1),
);

const folder = makeTestFolder();
const env = testEnvironment(process.env, folder);
const tallies: Tally[] = [];
for (const check of checksIn(folder)) {
  if (stopped.signal.aborted) break;
  const startedAt = performance.now();
  const tally = check.tally(await runCheck(check, env, stopped.signal));
  terminal.progress(`${check.name.padEnd(16)} ${sumLine(tally)}  ${secondsSince(startedAt)}`);
  tallies.push(tally);
}
const left = await leftBehind(folder);
for (const line of left) terminal.progress(`left behind: ${line}`);
tallies.push(tallyOfCheck(left.length + Number(stopped.signal.aborted)));
await removeTestFolder(folder);

const total = sum(tallies);
terminal.announce(sumLine(total));
process.exit(total.failed > 0 ? 1 : 0);
