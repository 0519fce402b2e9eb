/** What is mutated: documents of our own, and the real ones beside the checkout where they are. */
import { existsSync, readdirSync, readFileSync } from "node:fs";

const FIXTURES = new URL("../../services/ingest-rss/fixtures/", import.meta.url);
const CORPUS = new URL("../../../shared/corpus/", import.meta.url);
/** Larger ones cost the time of many. */
const LARGEST_BYTES = 200_000;

const MAILS = [
  `From: Flats <alerts@flats.example>\r\nTo: x@in.d.test\r\nSubject: =?UTF-8?Q?Zwei_R=C3=A4ume?=\r\nMessage-ID: <1@flats.example>\r\nDate: Wed, 25 Nov 2026 07:12:00 +0000\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nQuiet street =E2=80=93 https://flats.example/1\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Quiet <a href="https://flats.example/1">street</a></p>\r\n--b--\r\n`,
  `Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nTo: x@in.d.test\r\nSubject: Undelivered\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n--r\r\n\r\nIt could not be delivered.\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n--r\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b.example\r\n\r\nHi\r\n--r--\r\n`,
  `From: a@b.example\r\nSubject: files\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename*=utf-8''%E2%82%AC.pdf\r\n\r\nJVBERi0xLjQK\r\n--m--\r\n`,
];

/** Feeds, as bytes. */
export function feedSpecimens(): Buffer[] {
  return [...filesIn(FIXTURES), ...filesIn(new URL("feeds/", CORPUS))];
}

/** Mails, as bytes. */
export function mailSpecimens(): Buffer[] {
  return [...MAILS.map((mail) => Buffer.from(mail)), ...filesIn(new URL("mail/", CORPUS))];
}

function filesIn(folder: URL): Buffer[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).map((name) => readFileSync(new URL(name, folder)));
  return files.filter(({ length }) => length <= LARGEST_BYTES);
}
