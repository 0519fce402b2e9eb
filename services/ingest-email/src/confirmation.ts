/**
 * The mail by which a mailbox asks whether it may forward to an address. It is of use to the owner of that address alone, and
 * to nobody else; the link is shown and never opened (facts on Gmail: https://support.google.com/mail/answer/10957).
 */
export interface Confirmation {
  readonly title: string;
  readonly link: string | null;
}

const SENDERS =
  /^(forwarding-noreply@google\.com|[^@]*@(?:[a-z0-9-]+\.)*(?:gmx|web|fastmail|zoho|yahoo|outlook|proton)[a-z.]*)$/i;
const SUBJECT =
  /(forwarding|weiterleitung|transfert|reenv[ií]o).{0,80}(confirm|best[äa]tig|v[ée]rif)|confirm.{0,80}forward/i;

/** What a mail with this subject, sender and text asks to confirm; null when it is no such mail. */
export function confirmationIn(subject: string, sender: string, text: string): Confirmation | null {
  const isGmail = sender.toLowerCase() === "forwarding-noreply@google.com";
  if (!isGmail && !(SUBJECT.test(subject) && SENDERS.test(sender))) return null;
  const code =
    /\(#(\d{6,12})\)/.exec(subject)?.[1] ?? /\bcode\b[^\d\n]{0,40}(\d{6,12})/i.exec(text)?.[1] ?? null;
  const link =
    /https?:\/\/\S*(?:mail-settings\.google\.com|mail\.google\.com\/mail|confirm|verif)\S*/i.exec(
      text,
    )?.[0] ?? null;
  const said = code === null ? "" : `, code ${code}`;
  return { title: `Confirm that mail may be forwarded here${said}`, link };
}
