import { appendFileSync, closeSync, fstatSync, openSync, renameSync } from "node:fs";

export interface LogFile {
  readonly path: string;
  write(chunk: string | Uint8Array): void;
  close(): void;
}

/**
 * A log at `path` that never grows past `maxBytes`: then it becomes `<path>.1`, and the one before it is dropped. Writes
 * are synchronous, so that nothing is held in memory and the last words of a dying process are on disk.
 */
export function openLogFile(path: string, maxBytes: number): LogFile {
  let fd = openSync(path, "a", 0o600);
  let size = fstatSync(fd).size;
  let open = true;

  const rotate = () => {
    closeSync(fd);
    renameSync(path, `${path}.1`);
    fd = openSync(path, "a", 0o600);
    size = 0;
  };

  return {
    path,
    write: (chunk) => {
      if (!open) return;
      const bytes = Buffer.byteLength(chunk);
      if (size > 0 && size + bytes > maxBytes) rotate();
      appendFileSync(fd, chunk);
      size += bytes;
    },
    close: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}
