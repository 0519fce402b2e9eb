import { expect, test } from "vitest";
import { clientFinal, clientFirst } from "./check-password.ts";

// RFC 5802 §5
const nonce = "fyko+d2lbbFgONRv9qkxdawL";
const challenge = `r=${nonce}3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096`;

test("the exchange is the one of RFC 5802's example", async () => {
  const first = clientFirst("user", nonce);
  expect(first).toBe("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL");
  const final = await clientFinal(first, challenge, "pencil");
  expect(final.message).toBe(
    "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
  );
  expect(final.serverSignature).toBe("rmF9pqV8S7suAoZWja4dJRkFsKQ=");
});

test("a name cannot smuggle in attributes of its own", () => {
  expect(clientFirst("a,r=x", "N")).toBe("n,,n=a=2Cr=3Dx,r=N");
});

test.each([
  ["does not continue the nonce", "r=other,s=QSXCR+Q6sek8bf92,i=4096"],
  ["only repeats the nonce", `r=${nonce},s=QSXCR+Q6sek8bf92,i=4096`],
  ["asks for no iterations", challenge.replace("4096", "0")],
  ["asks for too many iterations", challenge.replace("4096", "99999999")],
  ["is empty", ""],
])("a challenge that %s is refused", async (_why, text) => {
  await expect(clientFinal(clientFirst("user", nonce), text, "pencil")).rejects.toThrow(
    /challenge|iterations/,
  );
});
