/** Figures over the last hour, as lines; the words beside it say the same for who does not see them. */
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";

export interface Line {
  readonly label: string;
  readonly values: readonly (number | null)[];
}

const HEIGHT = 140;
/** The lines are told apart by their dashes as well as by their places in the legend. */
const DASHES = [[], [6, 4], [2, 3], [8, 3, 2, 3]] as const;

/** `times` in seconds since the epoch, one for each value of each line. */
export function Plot({
  label,
  times,
  lines,
}: {
  readonly label: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const names = lines.map((line) => line.label).join();
  const data = [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  useEffect(() => {
    let isGone = false;
    // Only operators need it: it is fetched when the first plot is shown.
    void Promise.all([import("uplot"), import("uplot/dist/uPlot.min.css")]).then(([{ default: UPlot }]) => {
      const box = place.current;
      if (isGone || box === null) return;
      const color = getComputedStyle(box).color;
      const axis = { stroke: color, grid: { stroke: getComputedStyle(box).borderTopColor, width: 1 } };
      const series = lines.map((line, at) => ({
        label: line.label,
        stroke: color,
        width: 1.5,
        dash: [...(DASHES[at % DASHES.length] ?? [])],
      }));
      const options = { width: box.clientWidth, height: HEIGHT, series: [{}, ...series], axes: [axis, axis] };
      plot.current = new UPlot(options, data, box);
      observer.observe(box);
    });
    const observer = new ResizeObserver(([entry]) => {
      plot.current?.setSize({ width: Math.floor(entry?.contentRect.width ?? 0), height: HEIGHT });
    });
    return () => {
      isGone = true;
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names]);
  useEffect(() => plot.current?.setData(data), [data]);
  return (
    <figure class="plot">
      <figcaption>{label}</figcaption>
      <div ref={place} class="lines" />
    </figure>
  );
}
