/** What is to go to one destination for one reason in one message: a digest, or what a burst held back. */
import type { Bundle, Decision } from "./rules/decide.ts";

/** By reason and destination; the numbers in the order in which they were gathered. */
export type Bundles = Map<
  string,
  { readonly destination: string; readonly bundle: Bundle; readonly numbers: string[] }
>;

/** Puts notification `number` with those that go where `decision` says, and as it says; one that goes alone is left out. */
export function gather(bundles: Bundles, decision: Decision, number: string): void {
  if (decision.action !== "dispatch" || decision.bundle === null) return;
  const { destination, bundle } = decision;
  const key = `${bundle.why} ${destination.id}`;
  const group = bundles.get(key) ?? { destination: destination.id, bundle, numbers: [] };
  group.numbers.push(number);
  bundles.set(key, group);
}
