import { expect, test } from "vitest";
import { isSameSecret } from "./is-same-secret.ts";

test("a secret is the same only when all of it is, whatever its length", () => {
  expect(isSameSecret("open sesame", "open sesame")).toBe(true);
  for (const shown of ["", "open", "open sesame!", "open sesamf"])
    expect(isSameSecret(shown, "open sesame")).toBe(false);
});
