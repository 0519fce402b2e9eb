/**
 * The minute at `at` (epoch milliseconds) on the clocks of `zone`, an IANA name, with the difference to UTC that holds then:
 * `2026-11-25 08:12 GMT+1`, `2026-11-25 07:12 UTC`. A zone that this machine does not know is UTC; a time that is none is "".
 */
export function localTime(at: number, zone: string): string {
  if (!Number.isFinite(at) || Math.abs(at) >= 8.64e15) return "";
  const format = formatFor(zone) ?? (formatFor("UTC") as Intl.DateTimeFormat);
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const [year, month, day, hour, minute] = (["year", "month", "day", "hour", "minute"] as const).map((type) =>
    parts.get(type),
  );
  const name = parts.get("timeZoneName");
  return `${year?.padStart(4, "0")}-${month}-${day} ${hour}:${minute} ${name === "GMT" || name === "GMT+0" ? "UTC" : name}`;
}

/** To make one costs more than to use it; users live in few zones. */
const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 600;

function formatFor(zone: string): Intl.DateTimeFormat | null {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  try {
    const format = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      timeZoneName: "shortOffset",
    });
    if (formats.size < MAX_FORMATS) formats.set(zone, format);
    return format;
  } catch {
    return null;
  }
}
