import { expect, test } from "vitest";
import { numberIn } from "./replica.ts";

test.each([
  ["tidings-avatar-host-3.tidings_default", 3],
  ["tidings_avatar-host_12.tidings_default", 12],
  ["tidings-web-api-1.tidings_default", null],
  ["avatar-host-h1.tidings_default", null],
])("%s is number %s", (name, number) => {
  expect(numberIn(name, "avatar-host")).toBe(number);
});
