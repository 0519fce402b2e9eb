/**
 * What the person who started the installation reads: short lines on standard error, and on standard output nothing but
 * the line that scripts wait for. A terminal that has gone away is no reason to stop without order.
 */
export interface Terminal {
  /** One line of progress. */
  progress(line: string): void;
  /** The line that says that all of it answers. */
  announce(line: string): void;
}

export function openTerminal(): Terminal {
  process.stdout.on("error", ignoreClosed);
  process.stderr.on("error", ignoreClosed);
  return {
    progress: (line) => void process.stderr.write(`  ${line}\n`),
    announce: (line) => void process.stdout.write(`${line}\n`),
  };
}

function ignoreClosed(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}
