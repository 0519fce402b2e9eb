/**
 * Debian's Postfix, as the world's mail: it takes what is sent to it, forwards what has an alias, delivers into mailboxes,
 * brings the rest to the installation's own address for mail, and sends bounces. Listens on loopback; all of it is in a
 * folder of its own. Postfix drops its rights by itself, so it is begun as root, by sudo where the tests are not.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "@tidings/testkit";

const run = promisify(execFile);
const SUDO = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
/** Whose the mailboxes are, which the tests read: their own user, or `nobody` since Postfix delivers to no root. */
const OWNER = process.getuid?.() || 65_534;
const LISTENING_MS = 20_000;

export interface PostfixOptions {
  readonly port: number;
  /** Domain and port to which mail for the installation goes. */
  readonly installation: { readonly domain: string; readonly port: number };
  readonly mailboxes: readonly string[];
  /** Address → where it is forwarded to. */
  readonly aliases?: Readonly<Record<string, string>>;
}

export class Postfix {
  readonly port: number;
  readonly #folder: string;
  readonly #master: ChildProcess;

  private constructor(port: number, folder: string, master: ChildProcess) {
    [this.port, this.#folder, this.#master] = [port, folder, master];
  }

  static async open(options: PostfixOptions): Promise<Postfix> {
    // Not in the folder for temporary files that a run has of its own: Postfix's user may not go there.
    const folder = await mkdtemp("/tmp/tidings-postfix-");
    await chmod(folder, 0o755);
    for (const name of ["etc", "queue", "data", "mailboxes"]) await mkdir(join(folder, name));
    await asRoot("chown", "postfix", join(folder, "data"));
    await asRoot("chown", String(OWNER), join(folder, "mailboxes"));
    const files = { "main.cf": mainCf(folder, options), "master.cf": masterCf(options.port), transport: "" };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, "etc", name), text);
    await asRoot("chown", "root", join(folder, "queue"));
    const [first = "", ...rest] = [...SUDO, "postfix", "-c", join(folder, "etc"), "start-fg"];
    const master = spawn(first, rest, { stdio: "ignore" });
    const postfix = new Postfix(options.port, folder, master);
    await eventually(() => isOpen(options.port), { withinMs: LISTENING_MS }).catch(async () => {
      const log = await postfix.#log();
      await postfix.close();
      throw new Error(`Postfix did not start (it needs root): ${log}`);
    });
    return postfix;
  }

  /** Sends a message by swaks, as a person's mail program would; resolves when Postfix has taken it. */
  async takes(from: string, to: string, subject: string, body: string): Promise<void> {
    const header = ["--header", `Subject: ${subject}`, "--h-From", `<${from}>`, "--body", body];
    const server = ["--server", `127.0.0.1:${this.port}`, "--helo", "client.example.org"];
    await run("swaks", [...server, "--from", from, "--to", to, ...header], { timeout: 20_000 });
  }

  /** The newest message in the mailbox `address` that has `text` in it. */
  has(address: string, text: string): Promise<string> {
    const folder = join(this.#folder, "mailboxes", address, "new");
    return eventually(
      async () => {
        const names = await readdir(folder).catch(() => []);
        const mails = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
        const found = mails.findLast((mail) => mail.includes(text));
        if (found === undefined) throw new Error(`no mail with "${text}" is in ${address}`);
        return found;
      },
      { withinMs: 20_000 },
    );
  }

  /** From now on mail to `domain` is taken, and comes back. */
  async bounces(domain: string): Promise<void> {
    const etc = join(this.#folder, "etc");
    await writeFile(join(etc, "transport"), `${domain} error:5.1.1 There is no such mailbox\n`);
    await asRoot("postfix", "-c", etc, "reload");
  }

  async close(): Promise<void> {
    const isOver = this.#master.exitCode !== null || this.#master.signalCode !== null;
    const ended = isOver ? null : once(this.#master, "exit");
    if (!isOver) await asRoot("postfix", "-c", join(this.#folder, "etc"), "stop");
    await ended;
    await asRoot("rm", "-rf", this.#folder);
  }

  async #log(): Promise<string> {
    return readFile(join(this.#folder, "postfix.log"), "utf8").catch(() => "it wrote no log");
  }
}

async function asRoot(...command: readonly string[]): Promise<void> {
  const [first = "", ...rest] = [...SUDO, ...command];
  await run(first, rest);
}

function mainCf(folder: string, { installation, mailboxes, aliases = {} }: PostfixOptions): string {
  const table = (rows: readonly (readonly [string, string])[]) =>
    `inline:{ ${rows.map(([key, value]) => `{ ${key} = ${value} }`).join(", ")} }`;
  const addresses = [...mailboxes, ...Object.keys(aliases)];
  const domains = new Set(addresses.map((address) => address.slice(address.indexOf("@") + 1)));
  const settings = {
    compatibility_level: "3.6",
    queue_directory: join(folder, "queue"),
    data_directory: join(folder, "data"),
    command_directory: "/usr/sbin",
    daemon_directory: "/usr/lib/postfix/sbin",
    maillog_file: join(folder, "postfix.log"),
    maillog_file_prefixes: folder,
    inet_interfaces: "127.0.0.1",
    inet_protocols: "ipv4",
    mynetworks: "127.0.0.0/8",
    myhostname: "mx.example.org",
    mydestination: "",
    virtual_mailbox_domains: [...domains].join(" "),
    virtual_mailbox_base: join(folder, "mailboxes"),
    virtual_mailbox_maps: table(mailboxes.map((address) => [address, `${address}/`])),
    virtual_alias_maps: Object.keys(aliases).length === 0 ? "" : table(Object.entries(aliases)),
    virtual_uid_maps: `static:${OWNER}`,
    virtual_gid_maps: `static:${OWNER}`,
    smtpd_recipient_restrictions: "permit_mynetworks, reject",
    transport_maps: `texthash:${join(folder, "etc", "transport")}, ${table([[installation.domain, `smtp:[127.0.0.1]:${installation.port}`]])}`,
    smtp_tls_security_level: "may",
    smtp_host_lookup: "native",
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join("");
}

function masterCf(port: number): string {
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    "pickup unix n - n 60 1 pickup",
    "cleanup unix n - n - 0 cleanup",
    "qmgr unix n - n 300 1 qmgr",
    "rewrite unix - - n - - trivial-rewrite",
    ...["bounce", "defer", "trace"].map((name) => `${name} unix - - n - 0 bounce`),
    "verify unix - - n - 1 verify",
    "flush unix n - n 1000? 0 flush",
    "proxymap unix - - n - - proxymap",
    "proxywrite unix - - n - 1 proxymap",
    "smtp unix - - n - - smtp",
    "relay unix - - n - - smtp",
    "showq unix n - n - - showq",
    "error unix - - n - - error",
    "retry unix - - n - - error",
    "discard unix - - n - - discard",
    "virtual unix - n n - - virtual",
    "anvil unix - - n - 1 anvil",
    "scache unix - - n - 1 scache",
    "tlsmgr unix - - n 1000? 1 tlsmgr",
    "postlog unix-dgram n - n - 1 postlogd",
  ];
  return `${services.join("\n")}\n`;
}

async function isOpen(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "data");
  } finally {
    socket.destroy();
  }
}
