/** As far as this the person's own words are looked for. */
const MAX_LINES = 50;

/**
 * The first line of a reply, when it is the person's own; empty when they only quote or sign. What a mail program writes
 * before a quotation ("On … wrote:") comes back too: it is no word that is understood.
 */
export function replyLine(text: string): string {
  const lines = text.split(/\r\n|\r|\n/, MAX_LINES).map((line) => line.replaceAll("\u00a0", " ").trim());
  const first = lines.find((line) => line !== "") ?? "";
  return first.startsWith(">") || first === "--" ? "" : first;
}
