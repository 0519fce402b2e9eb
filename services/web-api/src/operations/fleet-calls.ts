/** What operators ask of the monitor, over the bus. */
import type { CallArgs, CallResult, FleetView, MonitorCallName } from "@tidings/protocol";
import type { Parts } from "../parts.ts";

/** The monitor answers at once, or it is not there. */
const CALL_TIMEOUT_MS = 5_000;

/** What the monitor answers. Rejects with CallError. */
export function callMonitor<N extends MonitorCallName>(
  { bus, addresses }: Pick<Parts, "bus" | "addresses">,
  name: N,
  args: CallArgs<N>,
  op?: string,
): Promise<CallResult<N>> {
  return bus.call({
    from: addresses.web,
    to: addresses.monitor,
    authority: null,
    timeoutMs: CALL_TIMEOUT_MS,
    name,
    args,
    ...(op === undefined ? {} : { op }),
  });
}

/** The fleet as it is. Rejects with CallError. */
export function readFleet(parts: Pick<Parts, "bus" | "addresses">): Promise<FleetView> {
  return callMonitor(parts, "fleet", {});
}
