/**
 * How a delivery reads on a phone.
 *
 *     Two rooms, quiet street        the title, cut when all of it would take more than two segments
 *     Rooms                          what the user calls the source
 *     https://example.org/1          where there is more
 *     Reply 12r1 Yes, 12r2 No        what can be answered, where there is room
 *     Reply 12a to ack               12 is the number by which this phone can speak of the message
 */
import { answersText, webLink } from "@tidings/agent";
import { cleanLine, type Dispatch } from "@tidings/protocol";
import { plainTypography, segmentsOf } from "./segments.ts";

/** A message above this is cut: each segment is paid for. */
export const MAX_SEGMENTS = 2;
const MAX_TITLE_CHARS = 400;
const MAX_SOURCE_CHARS = 40;
/** A title is cut to less than this only where nothing else is left to give way (characters). */
const MIN_TITLE = 25;
/** A longer link leaves no room for a title; it is left out, and the reply "more" takes its place. */
const MAX_LINK_CHARS = 100;

/** The text of `dispatch`, of at most {@link MAX_SEGMENTS}; `reference` is its number at the phone. */
export function messageText({ notification, sourceTitle }: Dispatch, reference: number): string {
  const answers = answersLine(notification.options, reference);
  const source = plainTypography(cleanLine(sourceTitle ?? "", MAX_SOURCE_CHARS));
  const title = plainTypography(
    cleanLine(notification.title, MAX_TITLE_CHARS) ||
      cleanLine(notification.summary ?? "", MAX_TITLE_CHARS) ||
      "(no title)",
  );
  const link = shownLink(notification.link);
  const whole = layOut(title, { source, link, answers }, reference, false);
  if (fits(whole)) return whole;
  // In other scripts than Latin there is half the room: what is least missed gives way.
  const layouts: Around[] = [
    { source, link, answers },
    { source: "", link, answers },
    { source, link: null, answers },
  ];
  const withoutAnswers = layouts.map((around) => ({ ...around, answers: "" }));
  const kept =
    [...layouts, ...withoutAnswers].find((around) => fits(cut(title, MIN_TITLE, around, reference))) ??
    NOTHING;
  const length = mostThatFits([...title].length, (chars) => fits(cut(title, chars, kept, reference)));
  return cut(title, length, kept, reference);
}

/** What stands below the title. */
interface Around {
  readonly source: string;
  readonly link: string | null;
  readonly answers: string;
}

const NOTHING: Around = { source: "", link: null, answers: "" };

function answersLine(options: Dispatch["notification"]["options"], reference: number): string {
  return options === undefined ? "" : `Reply ${plainTypography(answersText(options, `${reference}r`))}`;
}

function cut(title: string, length: number, around: Around, reference: number): string {
  const characters = [...title];
  const begin = characters.slice(0, length).join("").trimEnd();
  const isWhole = characters.length <= length;
  return layOut(isWhole ? title : `${begin}...`, around, reference, true);
}

function layOut(title: string, { source, link, answers }: Around, reference: number, isCut: boolean): string {
  const answer =
    isCut && link === null
      ? `Reply ${reference}m for more, ${reference}a to ack`
      : `Reply ${reference}a to ack`;
  return [title, source, link, answers, answer].filter((line) => line !== null && line !== "").join("\n");
}

function fits(text: string): boolean {
  return segmentsOf(text).count <= MAX_SEGMENTS;
}

/** `most` when that is fine; else the highest number for which `isFine`, which holds for all numbers up to some. */
function mostThatFits(most: number, isFine: (length: number) => boolean): number {
  if (isFine(most)) return most;
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (isFine(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A link that is safe to show and short enough; else null. */
function shownLink(link: string | null): string | null {
  const ascii = webLink(link);
  return ascii !== null && ascii.length <= MAX_LINK_CHARS ? ascii : null;
}
