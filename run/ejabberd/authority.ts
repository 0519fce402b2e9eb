/**
 * The installation's own certificate authority and the certificates of its nodes, made by the `openssl` program.
 *
 * `<home>/ca.crt` is what clients are told to trust; its key and the nodes' keys stay in `<home>/tls` (0700).
 * A certificate is made again when it expires within 30 days, when its names are not the wanted ones, or when the
 * authority is a new one.
 */
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
const CERTIFICATE_DAYS = 397;
const RENEW_BEFORE_MS = 30 * DAY_MS;

const run = promisify(execFile);

/** `openssl` is missing or has refused what was asked of it. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

export interface Certificate {
  /** Path of the certificate in PEM. */
  readonly certificate: string;
  /** Path of its key in PEM, mode 0600. */
  readonly key: string;
}

export interface Authority {
  /** Path of the authority's own certificate. */
  readonly path: string;
  /** A certificate for `names` (DNS names, wildcards allowed), kept under `name`. Rejects with {@link CertificateError}. */
  issue(name: string, names: readonly string[]): Promise<Certificate>;
}

/** Opens the authority of the state folder `home`, or makes it. Rejects with {@link CertificateError}. */
export async function openAuthority(home: string, nowAt: number = Date.now()): Promise<Authority> {
  const folder = join(home, "tls");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const own: Certificate = { certificate: join(home, "ca.crt"), key: join(folder, "ca.key") };
  if (!(await isUsable(own, nowAt))) await makeAuthority(folder, own);
  return {
    path: own.certificate,
    issue: async (name, names) => {
      const pair = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
      if (!(await isUsable(pair, nowAt, { names, issuer: own.certificate })))
        await issue(folder, own, pair, names);
      return pair;
    },
  };
}

interface Wanted {
  readonly names: readonly string[];
  /** Path of the issuing certificate. */
  readonly issuer: string;
}

async function isUsable(pair: Certificate, nowAt: number, wanted?: Wanted): Promise<boolean> {
  const [certificate, key, issuer] = await Promise.all([
    readOrNull(pair.certificate),
    readOrNull(pair.key),
    wanted === undefined ? null : readOrNull(wanted.issuer),
  ]);
  if (certificate === null || key === null) return false;
  const parsed = new X509Certificate(certificate);
  if (parsed.validToDate.getTime() - nowAt < RENEW_BEFORE_MS) return false;
  if (wanted === undefined) return true;
  const signed = issuer !== null && parsed.verify(new X509Certificate(issuer).publicKey);
  return signed && parsed.subjectAltName === wanted.names.map((name) => `DNS:${name}`).join(", ");
}

async function makeAuthority(folder: string, own: Certificate): Promise<void> {
  await inScratch(folder, async (scratch) => {
    await openssl([
      ...["req", "-x509", ...NEW_KEY, "-keyout", join(scratch, "key"), "-out", join(scratch, "crt")],
      ...["-days", String(AUTHORITY_DAYS), "-subj", "/CN=Tidings installation authority"],
      ...[
        "-addext",
        "basicConstraints=critical,CA:TRUE,pathlen:0",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
      ],
    ]);
    await keep(scratch, own);
  });
}

async function issue(
  folder: string,
  own: Certificate,
  pair: Certificate,
  names: readonly string[],
): Promise<void> {
  const extensions = [
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`,
    // Servers are clients of each other (SASL EXTERNAL, XEP-0178).
    "extendedKeyUsage=serverAuth,clientAuth",
    "keyUsage=critical,digitalSignature",
    "basicConstraints=critical,CA:FALSE",
  ];
  await inScratch(folder, async (scratch) => {
    const [request, extensionFile] = [join(scratch, "csr"), join(scratch, "ext")];
    await writeFile(extensionFile, extensions.join("\n"));
    // The subject's name is of no use to anyone (RFC 6125 §6.4.4) and holds 64 characters only.
    await openssl([
      "req",
      "-new",
      ...NEW_KEY,
      "-keyout",
      join(scratch, "key"),
      "-out",
      request,
      "-subj",
      "/CN=Tidings",
    ]);
    await openssl([
      ...["x509", "-req", "-in", request, "-CA", own.certificate, "-CAkey", own.key, "-set_serial", serial()],
      ...["-days", String(CERTIFICATE_DAYS), "-extfile", extensionFile, "-out", join(scratch, "crt")],
    ]);
    await keep(scratch, pair);
  });
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-sha256"];

/** 127 random bits, as a positive serial number (RFC 5280 §4.1.2.2). */
function serial(): string {
  return `0x4${crypto.randomUUID().replaceAll("-", "").slice(1)}`;
}

async function keep(scratch: string, pair: Certificate): Promise<void> {
  await chmod(join(scratch, "key"), 0o600);
  await rename(join(scratch, "key"), pair.key);
  await rename(join(scratch, "crt"), pair.certificate);
}

async function inScratch(folder: string, work: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = await mkdtemp(join(folder, "new-"));
  try {
    await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function openssl(args: readonly string[]): Promise<void> {
  try {
    await run("openssl", args, { timeout: 30_000 });
  } catch (cause) {
    throw new CertificateError(`openssl ${args[0]} failed`, { cause });
  }
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
