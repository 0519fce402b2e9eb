/** Whether a shard's local file is a part of what the journal says, and can be brought up to date from it. */
import type { Log } from "@tidings/runtime";
import type { CheckpointState } from "./checkpoint-state.ts";
import type { Journal } from "./journal.ts";
import { LocalFile } from "./local-file.ts";
import { isFileInHistory } from "./protocol/replay.ts";

export interface History {
  readonly checkpointed: CheckpointState;
  readonly journal: Journal;
  readonly silo: string;
  readonly shard: number;
  readonly path: string;
  readonly log: Log;
}

/** `file`, or a new one in its place when it is not in the journal's history. Throws as {@link LocalFile.open} does. */
export async function fileInHistory(file: LocalFile, history: History): Promise<LocalFile> {
  const { silo, shard, path, log } = history;
  if (await isInHistory(file, history)) return file;
  log.warn({ path, ...file.position }, "local file is not in the journal's history, beginning a new one");
  file.close();
  LocalFile.remove(path);
  return LocalFile.open(path, `${silo}#${shard}`, log);
}

/** A file is in the history when it ends where the checkpoints do, or at a record that is in the journal. */
async function isInHistory(
  { history, position: file }: LocalFile,
  { checkpointed, journal }: History,
): Promise<boolean> {
  if (file.seq > 0 && history !== checkpointed.history) return false;
  const verdict = isFileInHistory(file, checkpointed);
  return verdict === "ifSlotHolds" ? (await journal.epochAt(file.seq)) === file.epoch : verdict === "yes";
}
