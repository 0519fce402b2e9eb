import fc from "fast-check";
import { expect, test } from "vitest";
import { passwordProblem } from "./password.ts";

test.each([
  "correct horse battery",
  "12345678",
  `!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`,
  "Grüße, naïve façade",
  "Пароль-надёжный",
  "密码密码密码密码",
  "סיסמהארוכה",
  "سيستم٣كلمة",
  "x".repeat(256),
])("%s is taken", (password) => {
  expect(passwordProblem(password)).toBeNull();
});

test.each([
  ["7 characters", "1234567", /8 to 256/],
  ["257 characters", "x".repeat(257), /8 to 256/],
  ["7 characters of two units each", "𠀀".repeat(7), /8 to 256/],
  ["a line end", "password\n", /control/],
  ["a null", "pass\0word", /control/],
  ["a direction override", "pass‮word", /control/],
  ["a soft hyphen", "pass\u00adword", /invisible/],
  ["a zero-width space", "pass\u200bword", /invisible/],
  ["a no-break space", "pass\u00a0word", /space/],
  ["an ideographic space", "pass\u3000word", /space/],
  ["a ligature", "oﬃcial-x", /replace/],
  ["a full-width letter", "ｐassword", /replace/],
  ["a decomposed letter", "passwo\u0308rd", /replace/],
  ["an emoji of today", "password🦩", /emoji/],
  ["a private-use character", "password\ue000", /emoji/],
  ["a lone surrogate", "password\ud800", /emoji/],
  ["a non-character", "password\uffff", /emoji/],
  ["both directions", "abcאבגדהו", /direction/],
  ["a digit after letters from right to left", "אבגדהוז1", /direction/],
])("a password with %s is refused", (_what, password, sentence) => {
  expect(passwordProblem(password)).toMatch(sentence);
});

test("a password that is taken can stand in a stanza and is its own compatibility form", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 8, maxLength: 40 }), (password) => {
      if (passwordProblem(password) !== null) return;
      expect(password.isWellFormed()).toBe(true);
      expect(password.normalize("NFKC")).toBe(password);
      expect(password).not.toMatch(/\p{Cc}/u);
    }),
    { numRuns: 2_000 },
  );
  // SASLprep of two thousand passwords takes seconds on a busy machine.
}, 30_000);
