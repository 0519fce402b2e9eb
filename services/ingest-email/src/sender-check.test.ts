import { generateKeyPairSync } from "node:crypto";
import { silentLog } from "@tidings/runtime";
import { dkimSign } from "mailauth";
import { beforeEach, expect, test } from "vitest";
import { SenderChecker } from "./sender-check.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2_048,
  publicKeyEncoding: { type: "spki", format: "der" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const KEY = `v=DKIM1; k=rsa; p=${publicKey.toString("base64")}`;
const MAIL = "From: Flats <alerts@flats.example>\r\nSubject: Two rooms\r\n\r\nQuiet street.\r\n";
const ENVELOPE = { ip: "192.0.2.1", helo: "mx.flats.example", sender: "bounce@flats.example" };
const ADDRESS = "alerts@flats.example";

let zone: Record<string, string>;
let asked: number;
let away: boolean;

beforeEach(() => {
  [asked, away] = [0, false];
  zone = { "s1._domainkey.flats.example": KEY, "_dmarc.flats.example": "v=DMARC1; p=reject" };
});

/** Knows the zone, by TXT records alone. */
const dns = {
  resolve: async (name: string, type: string) => {
    asked++;
    if (away) throw Object.assign(new Error("timeout"), { code: "ETIMEOUT" });
    const record = type === "TXT" ? zone[name] : undefined;
    if (record === undefined) throw Object.assign(new Error("none"), { code: "ENOTFOUND" });
    return [[record]];
  },
} as ConstructorParameters<typeof SenderChecker>[0]["dns"];

const checker = (withinMs?: number) =>
  new SenderChecker({
    dns,
    name: "in.d.test",
    log: silentLog(),
    ...(withinMs === undefined ? {} : { withinMs }),
  });
const check = (raw: string, address = ADDRESS, from = checker()) =>
  from.check(Buffer.from(raw), address, ENVELOPE);

async function signed(mail = MAIL, domain = "flats.example", more: object = {}): Promise<string> {
  const by = { signingDomain: domain, selector: "s1", privateKey, ...more };
  const { signatures } = await dkimSign(mail, { ...by, signatureData: [by] });
  return signatures + mail;
}

test("who has signed for the domain of From is proven, also when a mailing list's host brings it", async () => {
  expect(await check(await signed())).toEqual({
    address: ADDRESS,
    isProven: true,
    checks: { spf: "none", dkim: "pass", dmarc: "pass", arc: "none" },
  });
});

test("a domain without DMARC vouches by its signature all the same", async () => {
  delete zone["_dmarc.flats.example"];
  expect((await check(await signed())).isProven).toBe(true);
});

test("whoever sends from a host of the domain is proven without a signature", async () => {
  zone["flats.example"] = "v=spf1 ip4:192.0.2.1 -all";
  expect(await check(MAIL)).toMatchObject({ isProven: true, checks: { spf: "pass", dkim: "none" } });
});

test.each([
  ["nothing signed", async () => MAIL],
  ["a changed text", async () => (await signed()).replace("Quiet", "Noisy")],
  ["a changed sender", async () => (await signed()).replace("alerts@", "boss@")],
  ["a second From", async () => `From: boss@bank.example\r\n${await signed()}`],
  ["a signature of somebody else", async () => signed(MAIL, "evil.example")],
  [
    "text below what is signed",
    async () => `${await signed(MAIL, undefined, { maxBodyLength: 5 })}More.\r\n`,
  ],
])("%s proves nobody", async (_name, mail) => {
  zone["s1._domainkey.evil.example"] = KEY;
  expect((await check(await mail())).isProven).toBe(false);
});

test("an address that is read otherwise elsewhere proves nobody", async () => {
  expect((await check(await signed(), "boss@bank.example")).isProven).toBe(false);
  expect(await check(MAIL, "")).toMatchObject({ address: "", isProven: false });
});

test("a thousand signatures, and a mail that is large, cost nothing", async () => {
  const line = (await signed()).slice(0, -MAIL.length);
  expect((await check(line.repeat(1_000) + MAIL)).isProven).toBe(false);
  expect((await check((await signed()) + "x".repeat(1_100_000))).checks.dkim).toBe("temperror");
  expect(asked).toBe(0);
});

test("look-ups that lead on and on are ended", async () => {
  zone["flats.example"] = Array.from({ length: 400 }, (_, at) => `include:i${at}.flats.example`).join(" ");
  for (let at = 0; at < 400; at++) zone[`i${at}.flats.example`] = `v=spf1 include:i${at + 1}.flats.example`;
  await check(MAIL);
  expect(asked).toBeLessThanOrEqual(40);
});

test("while no name server answers the mail is not kept waiting, and soon none is asked", async () => {
  away = true;
  const one = checker();
  for (let mail = 0; mail < 5; mail++) expect((await check(MAIL, ADDRESS, one)).isProven).toBe(false);
  const before = asked;
  expect(before).toBeLessThan(12);
  away = false;
  expect((await check(await signed(), ADDRESS, one)).isProven).toBe(false);
  expect(asked).toBe(before);
});

test("a name server that says nothing at all is not waited for", async () => {
  const silent = { resolve: () => new Promise<never>(() => {}) };
  const one = new SenderChecker({ dns: silent, name: "in.d.test", log: silentLog(), withinMs: 50 });
  const found = await one.check(Buffer.from(MAIL), ADDRESS, ENVELOPE);
  expect(found).toMatchObject({ address: ADDRESS, isProven: false, checks: { dmarc: "temperror" } });
});
