import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openAuthority } from "./authority.ts";

const DAY_MS = 86_400_000;
const NAMES = ["agents.d.localhost", "*.agents.d.localhost"];

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tidings-authority-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function read(path: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(path));
}

test("a certificate bears the names, is signed by the authority, and serves both ends of a link", async () => {
  const authority = await openAuthority(home);
  const { certificate } = await authority.issue("agents", NAMES);
  const [own, leaf] = [await read(authority.path), await read(certificate)];
  expect(own.ca).toBe(true);
  expect(leaf.verify(own.publicKey)).toBe(true);
  expect(leaf.checkHost("im.agents.d.localhost")).toBeDefined();
  expect(leaf.checkHost("x.im.agents.d.localhost")).toBeUndefined();
  expect(leaf.checkHost("d.localhost")).toBeUndefined();
  expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
});

test("keys are for their owner only", async () => {
  const authority = await openAuthority(home);
  const { key } = await authority.issue("agents", NAMES);
  for (const path of [key, join(home, "tls/ca.key")]) expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(home, "tls"))).mode & 0o777).toBe(0o700);
});

test("what is still good is kept, and other names make another certificate", async () => {
  const first = await openAuthority(home);
  const { certificate } = await first.issue("agents", NAMES);
  const [ca, leaf] = [await read(first.path), await read(certificate)];

  const again = await openAuthority(home);
  await again.issue("agents", NAMES);
  expect((await read(again.path)).serialNumber).toBe(ca.serialNumber);
  expect((await read(certificate)).serialNumber).toBe(leaf.serialNumber);

  await again.issue("agents", ["other.localhost"]);
  expect((await read(certificate)).subjectAltName).toBe("DNS:other.localhost");
});

test("what expires within a month is made again", async () => {
  const { certificate } = await (await openAuthority(home)).issue("agents", NAMES);
  const leaf = await read(certificate);

  const nearItsEnd = leaf.validToDate.getTime() - 29 * DAY_MS;
  await (await openAuthority(home, nearItsEnd)).issue("agents", NAMES);
  expect((await read(certificate)).serialNumber).not.toBe(leaf.serialNumber);
});

test("a new authority makes new certificates", async () => {
  const { certificate } = await (await openAuthority(home)).issue("agents", NAMES);
  const leaf = await read(certificate);
  await rm(join(home, "ca.crt"));
  const authority = await openAuthority(home);
  await authority.issue("agents", NAMES);
  expect((await read(certificate)).serialNumber).not.toBe(leaf.serialNumber);
  expect((await read(certificate)).verify((await read(authority.path)).publicKey)).toBe(true);
});
