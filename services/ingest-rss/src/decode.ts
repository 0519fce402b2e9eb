/** Bytes to text. What says more of the encoding counts first: byte order mark, HTTP, the document itself, then its bytes. */
import chardet from "chardet";

const SNIFFED_BYTES = 1_024;
/** Guessing costs time for each byte, and a guess is as good from a part. */
const GUESSED_BYTES = 64 * 1024;
const FALLBACK = "windows-1252";

/** The text of the document `bytes` that came with `contentType`; never fails: what cannot be decoded becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, contentType: string): string {
  return decoderFor(bytes, contentType).decode(bytes);
}

function decoderFor(bytes: Uint8Array, contentType: string): TextDecoder {
  const marked = fromByteOrderMark(bytes);
  if (marked !== null) return new TextDecoder(marked);
  const named = fromHttp(contentType) ?? fromDocument(bytes);
  if (named === null) return new TextDecoder(isUtf8(bytes) ? "utf-8" : guessed(bytes));
  return contradicts(named, bytes) ? new TextDecoder(guessed(bytes)) : named;
}

/**
 * Whether the bytes are certainly not what was named: declared UTF-8 and not valid, or declared Latin-1 (servers' default for
 * text) and valid UTF-8 with more than ASCII, which does not come about by chance.
 */
function contradicts(named: TextDecoder, bytes: Uint8Array): boolean {
  if (named.encoding === "utf-8") return !isUtf8(bytes);
  return named.encoding === FALLBACK && isUtf8(bytes) && bytes.some((byte) => byte > 0x7f);
}

function fromByteOrderMark([a, b, c]: Uint8Array): string | null {
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  return a === 0xfe && b === 0xff ? "utf-16be" : null;
}

function fromHttp(contentType: string): TextDecoder | null {
  return decoderNamed(/charset\s*=\s*["']?([^\s"';,]+)/i.exec(contentType)?.[1]);
}

/** The XML declaration, also in UTF-16 without a mark, or the charset that a page names in its head. */
function fromDocument(bytes: Uint8Array): TextDecoder | null {
  if (bytes[0] === 0x3c && bytes[1] === 0) return new TextDecoder("utf-16le");
  if (bytes[0] === 0 && bytes[1] === 0x3c) return new TextDecoder("utf-16be");
  const head = Buffer.from(bytes.subarray(0, SNIFFED_BYTES)).toString("latin1");
  const declared = /^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)["']/i.exec(head)?.[1];
  const inPage = /<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]+)/i.exec(head)?.[1];
  const decoder = decoderNamed(declared ?? inPage);
  return decoder?.encoding.startsWith("utf-16") ? null : decoder;
}

function decoderNamed(label: string | undefined): TextDecoder | null {
  if (label === undefined) return null;
  try {
    return new TextDecoder(label);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function guessed(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return "utf-8";
  const guess = chardet.detect(bytes.subarray(0, GUESSED_BYTES));
  const decoder = decoderNamed(guess ?? undefined);
  return decoder === null || decoder.encoding.startsWith("utf-") ? FALLBACK : decoder.encoding;
}
