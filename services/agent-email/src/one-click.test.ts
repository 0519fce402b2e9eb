import { afterEach, expect, test } from "vitest";
import { oneClick } from "./one-click.ts";

const heard: string[] = [];
const app = oneClick({
  unsubscribed: (token) => {
    heard.push(token);
    return token === "1k-1-00";
  },
});
afterEach(() => void heard.splice(0));

const post = (token: string, contentType: string) =>
  app.inject({
    method: "POST",
    url: `/mail/unsubscribe/${token}`,
    headers: { "content-type": contentType },
    payload: "List-Unsubscribe=One-Click",
  });

test.each(["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])(
  "a POST (%s) unsubscribes",
  async (contentType) => {
    expect((await post("1k-1-00", contentType)).statusCode).toBe(200);
    expect(heard).toEqual(["1k-1-00"]);
  },
);

test("a token that is not ours is told what to do", async () => {
  const { statusCode, body } = await post("x", "application/x-www-form-urlencoded");
  expect(statusCode).toBe(404);
  expect(body).toMatch(/remove the address/);
});

test("who only looks unsubscribes nobody, and gets a button", async () => {
  const { statusCode, body } = await app.inject("/mail/unsubscribe/1k-1-00");
  expect(statusCode).toBe(200);
  expect(body).toContain(`<form method="post">`);
  expect(heard).toEqual([]);
});
