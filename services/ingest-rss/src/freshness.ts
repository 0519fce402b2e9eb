/** Longer is not believed: a feed that says "a year" has been set up by nobody who thought of feeds (milliseconds). */
const LONGEST_MS = 24 * 3_600_000;

/** Header fields as an HTTP client gives them, names in lower case. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * For how long a response stays as it is, by Cache-Control, Expires and Age (RFC 9111 §4.2, for a cache of one user), in
 * milliseconds from now, at most a day; 0 when it does not say, or must be asked for each time.
 */
export function freshForMs(headers: Headers, nowAt: number): number {
  const directives = directivesIn([headers["cache-control"] ?? []].flat().join(","));
  if (directives.has("no-cache") || directives.has("no-store")) return 0;
  const maxAge = directives.get("max-age");
  const lifetimeMs = maxAge === undefined ? expiresInMs(headers, nowAt) : secondsMs(maxAge);
  const ageMs = secondsMs(one(headers.age) ?? "0");
  return Math.min(LONGEST_MS, Math.max(0, lifetimeMs - ageMs));
}

function directivesIn(field: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name = "", quoted, plain] of field
    .slice(0, 2_000)
    .matchAll(/([\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,"]+)))?/g))
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), quoted ?? plain ?? "");
  return found;
}

/** Against the server's own clock, where it says what that shows. */
function expiresInMs({ expires, date }: Headers, nowAt: number): number {
  const until = Date.parse(one(expires) ?? "");
  const since = Date.parse(one(date) ?? "");
  const ms = until - (Number.isNaN(since) ? nowAt : since);
  return Number.isNaN(ms) ? 0 : ms;
}

function secondsMs(text: string): number {
  return /^\d{1,10}$/.test(text.trim()) ? Number(text) * 1_000 : 0;
}

function one(field: string | string[] | undefined): string | null {
  return [field ?? []].flat()[0] ?? null;
}
