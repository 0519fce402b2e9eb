/** Addresses of each channel, as a person types them. */
import { domainToASCII } from "node:url";
import { type Addresses, type AgentChannel, isSendable } from "@tidings/protocol";
import { imAddress } from "./im-address.ts";

export type DestinationAddress = { readonly address: string } | { readonly problem: string };

/** A number in the form of E.164: country code and number, 8 to 15 digits. Whether it exists is the agent's to find out. */
const E164 = /^\+[1-9]\d{7,14}$/;
/** What people write between the digits of a number. */
const BETWEEN_DIGITS = /[\s().\u2010-\u2015/-]/gu;
/** The dot-atom of RFC 5322 §3.2.3: quoted local parts exist on paper alone. */
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** RFC 5321 §4.5.3.1. */
const MAX_LOCAL_CHARS = 64;
const MAX_ADDRESS_CHARS = 254;
const MAX_URL_CHARS = 2_000;

/** What was typed, in the spelling in which it is kept and sent to; otherwise a sentence that says what to do. */
export function destinationAddress(
  channel: AgentChannel,
  typed: string,
  addresses: Addresses,
): DestinationAddress {
  switch (channel) {
    case "im":
      return imAddress(typed, addresses);
    case "sms":
      return phoneNumber(typed);
    case "email":
      return mailAddress(typed);
    case "webhook":
      return webhookUrl(typed);
  }
}

/** Whether it may be asked is the agent's to find out: a name can lead anywhere. */
function webhookUrl(typed: string): DestinationAddress {
  const url = URL.parse(typed.trim());
  const isWeb = url?.protocol === "https:" || url?.protocol === "http:";
  if (url === null || !isWeb || url.username !== "" || url.password !== "" || url.href.length > MAX_URL_CHARS)
    return {
      problem:
        "This is no address to post to; it looks like https://example.org/hook?key=1, without a password.",
    };
  url.hash = "";
  return { address: url.href };
}

function phoneNumber(typed: string): DestinationAddress {
  const address = typed
    .replace(/^\s*tel:/i, "")
    .replaceAll(BETWEEN_DIGITS, "")
    .replace(/^00/, "+");
  if (E164.test(address)) return { address };
  return {
    problem: "This is no number that can be reached; write it with its country, such as +4930123456.",
  };
}

/** The domain in lower case and ASCII (RFC 5890); the local part as it is, for it may differ by case (RFC 5321 §2.4). */
function mailAddress(typed: string): DestinationAddress {
  const text = typed.trim().replace(/^mailto:/i, "");
  const at = text.lastIndexOf("@");
  const local = text.slice(0, Math.max(0, at));
  const domain = domainToASCII(text.slice(at + 1).replace(/\.$/, ""));
  const address = `${local}@${domain}`;
  const labels = domain.split(".");
  const isMail =
    isSendable(address) &&
    LOCAL_PART.test(local) &&
    local.length <= MAX_LOCAL_CHARS &&
    address.length <= MAX_ADDRESS_CHARS &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label));
  return isMail ? { address } : { problem: "This is no e-mail address; it looks like name@example.org." };
}
