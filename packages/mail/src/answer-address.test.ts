import fc from "fast-check";
import { expect, test } from "vitest";
import { answerUrl, readAnswerUrl } from "./answer-address.ts";

const ANSWER = {
  to: "alerts@flats.example",
  from: "abcdefghij234567klmn@in.d.test",
  subject: "Re: Two rooms & more?",
  inReplyTo: "<1+a%2@flats.example>",
};

test("what is written is read again, and fits where it is kept, whatever stands in the mail", () => {
  expect(readAnswerUrl(answerUrl(ANSWER) ?? "")).toEqual(ANSWER);
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 400 }),
      fc.string({ maxLength: 400 }),
      (subject, id) => {
        const url = answerUrl({ ...ANSWER, subject: `\u{1f600}${subject}`, inReplyTo: id }) ?? "";
        expect(url.length).toBeLessThanOrEqual(2_000);
        expect(readAnswerUrl(url)).toMatchObject({ to: ANSWER.to, from: ANSWER.from });
      },
    ),
  );
});

test.each(["a", "a@b.example,c@d.example", "a b@c.example", "", "a@b.example\r\nBcc: c@d.example"])(
  "%j is nobody to write to",
  (to) => expect(answerUrl({ ...ANSWER, to })).toBeNull(),
);

test.each([
  "https://a.example/",
  "mailto:a@b.example",
  "mailto:a@b.example,c@d.example?from=a@b.example",
  "mailto:a@b.example?from=x",
  "mailto:%ff@b.example?from=a@b.example",
])("%s is no answer's address", (url) => expect(readAnswerUrl(url)).toBeNull());
