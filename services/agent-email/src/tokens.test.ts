import fc from "fast-check";
import { expect, test } from "vitest";
import { Tokens } from "./tokens.ts";

const tokens = new Tokens("secret of the tests", "In.d.test");
const MESSAGE = { id: 56, key: "alice 0123 alice@example.org", attempt: 2 };
const byId = (id: number) => (id === MESSAGE.id ? MESSAGE : undefined);

test("an address says what it is for and of which message, in any case", () => {
  const address = tokens.address("reply", MESSAGE);
  expect(address).toMatch(/^reply\+1k-2-[0-9a-f]{20}@in\.d\.test$/);
  expect(address.split("@")[0]?.length).toBeLessThanOrEqual(64);
  const found = tokens.addressed(address.toUpperCase());
  expect(found?.purpose).toBe("reply");
  expect(tokens.message("reply", found?.token ?? "", byId)).toEqual({ entry: MESSAGE, attempt: 2 });
});

test("a token is for one purpose, one message and one installation", () => {
  const token = tokens.token("bounce", MESSAGE);
  expect(tokens.message("reply", token, byId)).toBeNull();
  expect(tokens.message("bounce", token, () => ({ ...MESSAGE, key: "bob 0123 bob@example.org" }))).toBeNull();
  expect(tokens.message("bounce", token.replace("1k-2", "1k-3"), byId)).toBeNull();
  expect(new Tokens("another", "in.d.test").message("bounce", token, byId)).toBeNull();
});

test.each(["reply@in.d.test", "reply+x@elsewhere.test", "other+1k-2-00@in.d.test", "", "reply+@in.d.test"])(
  "%j is no address of ours",
  (recipient) => {
    expect(tokens.addressed(recipient)).toBeNull();
  },
);

test("whatever is made up, it is not taken for a token", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(tokens.message("reply", text, byId)).toBeNull();
      expect(tokens.message("reply", `1k-2-${text}`, byId)).toBeNull();
    }),
  );
});
