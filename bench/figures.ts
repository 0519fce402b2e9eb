/** Figures of a run: each with its unit, its target, and the raw limit of its path, measured in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  /** `/s` is a rate: the more the better. */
  readonly unit: string;
  readonly target?: Target;
  /** What the servers alone take or bring on the same path, in the figure's unit. */
  readonly raw?: number;
  /** How it was measured, or what it is to be read beside. */
  readonly beside?: string;
}

export type Target = { readonly most: number } | { readonly least: number };

/** The value below which the share `p` (0 … 1) of `values` lies. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))] ?? Number.NaN;
}

/** First, middle and last of `values` as figures with the same target and raw limit. */
export function spread(values: readonly number[], figure: Omit<Figure, "value">): Figure[] {
  const { target: _, ...untargeted } = figure;
  return [
    { ...untargeted, name: `${figure.name}, first`, value: percentile(values, 0) },
    { ...untargeted, name: `${figure.name}, median`, value: percentile(values, 0.5) },
    { ...figure, name: `${figure.name}, last`, value: percentile(values, 1) },
  ];
}

/** The value of the figure called `name`; NaN when there is none. */
export function figureOf(figures: readonly Figure[], name: string): number {
  return figures.find((figure) => figure.name === name)?.value ?? Number.NaN;
}

/** How much of the raw limit a figure reaches (1 = all): of a rate what is left, of a time what the servers take anyway. */
export function shareOf({ value, unit, raw }: Figure): number | null {
  if (raw === undefined) return null;
  return unit === "/s" ? value / raw : raw / value;
}

/** Whether the figure misses its target. */
export function isMissed({ value, target }: Figure): boolean {
  if (target === undefined) return false;
  return !("most" in target ? value <= target.most : value >= target.least);
}

const HEADING = ["figure", "value", "target", "raw limit", "share", ""] as const;

/** The figures of all suites as one table, a line each: figure, value, target, raw limit, share of it, remark. */
export function tableOf(results: Readonly<Record<string, readonly Figure[]>>): string[] {
  const rows = Object.entries(results).flatMap(([suite, figures]) => [
    [suite, "", "", "", "", ""],
    ...figures.map(cellsOf),
  ]);
  const all = [[...HEADING], ...rows];
  const widths = HEADING.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0, column))
      .join("  ")
      .trimEnd(),
  );
}

function cellsOf(figure: Figure): string[] {
  const { name, value, unit, raw, beside } = figure;
  const share = shareOf(figure);
  return [
    `  ${name}`,
    `${shown(value)} ${unit}`.trimEnd(),
    targetText(figure),
    raw === undefined ? "" : `${shown(raw)} ${unit}`.trimEnd(),
    share === null ? "" : `${shown(100 * share)} %`,
    beside ?? "",
  ];
}

function targetText(figure: Figure): string {
  const { target } = figure;
  if (target === undefined) return "";
  const bound = "most" in target ? `≤ ${shown(target.most)}` : `≥ ${shown(target.least)}`;
  return isMissed(figure) ? `${bound} MISSED` : bound;
}

function shown(value: number): string {
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Names and remarks to the left, numbers to the right. */
function padded(cell: string, width: number, column: number): string {
  return column === 0 || column === HEADING.length - 1 ? cell.padEnd(width) : cell.padStart(width);
}
