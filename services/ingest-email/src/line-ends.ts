const [CR, LF] = [13, 10];

/**
 * Whether a line of `raw` ends in LF or CR alone. Where two servers differ on what ends a line, one sees a message where the
 * other sees two (SMTP smuggling), so such mail is not taken.
 */
export function hasBareLineEnd(raw: Buffer): boolean {
  for (let at = raw.indexOf(LF); at >= 0; at = raw.indexOf(LF, at + 1)) if (raw[at - 1] !== CR) return true;
  for (let at = raw.indexOf(CR); at >= 0; at = raw.indexOf(CR, at + 1)) if (raw[at + 1] !== LF) return true;
  return false;
}
