/** Figures of a run: each with its unit, what it is held against, and the target where there is one. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What this figure is to be read beside, measured in the same run. */
  readonly beside?: string;
}

/** The value below which the share `p` (0 … 1) of `values` lies. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

/** Prints figures as a table a person reads, one a line. */
export function printFigures(title: string, figures: readonly Figure[]): void {
  process.stderr.write(`\n${title}\n`);
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const { name, value, unit, beside } of figures) {
    const shown = value >= 100 ? value.toFixed(0) : value.toFixed(2);
    process.stderr.write(
      `  ${name.padEnd(width)}  ${shown.padStart(9)} ${unit}${beside ? `   (${beside})` : ""}\n`,
    );
  }
}
