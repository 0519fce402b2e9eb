/** Mail that came in, read within limits: whoever sent it, it costs little, and nothing in it is fetched or run. */
import { createHash } from "node:crypto";
import { isFromMachine } from "@tidings/mail";
import { simpleParser } from "mailparser";

/** What is behind this is not looked at: an answer stands at the beginning, and a bounce is short. */
const MAX_BYTES = 262_144;
/** More is not worth a block of the event loop; see the parser's `maxHtmlLengthToParse`. */
const MAX_HTML_CHARS = 50_000;

export interface Incoming {
  /** The same for the same mail, however often and on whatever way it comes. */
  readonly id: string;
  readonly subject: string;
  readonly text: string;
  /** The parts of type message/delivery-status (RFC 3464). */
  readonly deliveryStatus: readonly string[];
  /** A machine wrote it: RFC 3834 §5, and older habits. */
  readonly isAutomatic: boolean;
}

/** Reads `mail`. Rejects with what the parser makes of something that it cannot read. */
export async function readIncoming(mail: Buffer): Promise<Incoming> {
  const parsed = await simpleParser(mail.subarray(0, MAX_BYTES), {
    keepDeliveryStatus: true,
    skipImageLinks: true,
    skipTextToHtml: true,
    maxHtmlLengthToParse: MAX_HTML_CHARS,
    maxHeadSize: 65_536,
    maxChildNodes: 50,
    checksumAlgo: false,
  });
  const header = (name: string) => String(parsed.headerLines.find(({ key }) => key === name)?.line ?? "");
  const deliveryStatus = parsed.attachments
    .filter(({ contentType }) => contentType === "message/delivery-status")
    .map(({ content }) => content.toString("utf8"));
  return {
    id: createHash("sha256")
      .update(parsed.messageId ?? mail)
      .digest("hex")
      .slice(0, 40),
    subject: parsed.subject ?? "",
    text: parsed.text ?? "",
    deliveryStatus,
    isAutomatic: deliveryStatus.length > 0 || isFromMachine(header),
  };
}
