/** How the fleet did in the last hour, day or week, as the monitor has recorded it. */
import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { sentenceOf } from "../api.ts";
import { type FleetSample, operations } from "../operator.ts";
import type { List } from "../types.ts";
import { Trouble } from "./controls.tsx";
import { type Line, Plot } from "./plot.tsx";

const RANGES = { "1h": "The last hour", "24h": "The last day", "7d": "The last week" } as const;
type Range = keyof typeof RANGES;

/** In the hour a sample is made so often (milliseconds). */
const READ_EVERY_MS = 15_000;
/** Stays as it was chosen while the page is open. */
const range = signal<Range>("1h");

export function Figures() {
  const samples = useSignal<readonly FleetSample[]>([]);
  const trouble = useSignal<string | null>(null);
  const { value: chosen } = range;
  useEffect(() => {
    const read = async () => {
      try {
        const { items } = await operations<List<FleetSample>>("GET", `/record?range=${chosen}`);
        if (range.value === chosen) [samples.value, trouble.value] = [items, null];
      } catch (error) {
        trouble.value = sentenceOf(error);
      }
    };
    void read();
    const timer = setInterval(() => void read(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [chosen]);
  return (
    <>
      <fieldset class="choices">
        <legend>Figures of</legend>
        {(Object.keys(RANGES) as Range[]).map((one) => (
          <label key={one} class="choice">
            <input
              type="radio"
              name="range"
              checked={one === chosen}
              onChange={() => {
                range.value = one;
              }}
            />
            {RANGES[one]}
          </label>
        ))}
      </fieldset>
      <Trouble sentence={trouble.value} />
      <Plots samples={samples.value} />
    </>
  );
}

function Plots({ samples }: { readonly samples: readonly FleetSample[] }) {
  // A line needs two points.
  if (samples.length < 2) return <p class="quiet">Gathering figures…</p>;
  const times = samples.map(({ at }) => Date.parse(at) / 1_000);
  const line = (label: string, figure: (sample: FleetSample) => number): Line => ({
    label,
    values: samples.map(figure),
  });
  return (
    <div class="plots">
      <Plot
        label="Commits a second"
        times={times}
        lines={[line("all hosts", (one) => one.commitsPerSecond)]}
      />
      <Plot
        label="How late the event loop of the slowest host is (ms, 99th percentile)"
        times={times}
        lines={[line("slowest", (one) => one.loopDelayMs)]}
      />
      <Plot
        label="Hosts, and how busy the busiest is (%)"
        times={times}
        lines={[line("hosts", (one) => one.hosts), line("busy", (one) => Math.round(one.busy * 100))]}
      />
    </div>
  );
}
