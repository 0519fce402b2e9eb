/** Filters that are the same for every notification, found without looking at one. */
import type { Filter } from "./document.ts";

/** `always` or `never` when the filter contradicts or covers itself, null when it depends on the notification. */
export function truthOf(filter: Filter): "always" | "never" | null {
  if (filter.not !== undefined) return opposite(truthOf(filter.not));
  if (filter.all !== undefined) return truthOfGroup(flat(filter.all, "all"), "never");
  if (filter.any !== undefined) return truthOfGroup(flat(filter.any, "any"), "always");
  return null;
}

/** `decisive` is what one part, or a part beside its own opposite, makes of the group. */
function truthOfGroup(parts: readonly Filter[], decisive: "always" | "never"): "always" | "never" | null {
  const truths = parts.map(truthOf);
  if (truths.includes(decisive)) return decisive;
  const seen = new Set(parts.map(canonical));
  const meetsItsOpposite = parts.some(({ not }) => not !== undefined && seen.has(canonical(not)));
  if (meetsItsOpposite) return decisive;
  return truths.every((truth) => truth === opposite(decisive)) ? opposite(decisive) : null;
}

function opposite<T extends "always" | "never" | null>(truth: T) {
  return truth === "always" ? "never" : truth === "never" ? "always" : null;
}

function flat(parts: readonly Filter[], kind: "all" | "any"): Filter[] {
  return parts.flatMap((part) => (part[kind] === undefined ? [part] : flat(part[kind], kind)));
}

/** The same text for filters that say the same: fields in order, case folded where it does not matter. */
export function canonical(filter: Filter): string {
  const { all, any, not, in: field, contains, matches } = filter;
  const parts = (group: readonly Filter[] | undefined) => group?.map(canonical).sort() ?? null;
  return JSON.stringify([
    parts(all),
    parts(any),
    not === undefined ? null : canonical(not),
    field ?? null,
    contains?.toLowerCase() ?? null,
    matches ?? null,
  ]);
}
