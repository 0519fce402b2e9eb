/** An installation of a play's own, in a folder that goes with it. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Stack, startStack } from "../../run/stack.ts";
import type { StackOptions } from "../../run/stack-options.ts";
import { Person } from "./person.ts";

export class Installation {
  readonly stack: Stack;
  readonly #home: string;

  private constructor(stack: Stack, home: string) {
    [this.stack, this.#home] = [stack, home];
  }

  /** Starts it, with one host and ports that are free. */
  static async open(options: Omit<StackOptions, "home">): Promise<Installation> {
    const home = await mkdtemp(join(tmpdir(), "tidings-installation-"));
    const stack = await startStack({
      home,
      hosts: 1,
      webPort: "free",
      xmppPort: "free",
      pollMinSeconds: 1,
      fetchAllow: "127.0.0.0/8,::1/128",
      ...options,
    });
    setDefaultCACertificates([...getCACertificates("default"), await readFile(join(home, "ca.crt"), "utf8")]);
    return new Installation(stack, home);
  }

  signsUp(name: string): Promise<Person> {
    const { webUrl, domain, ejabberd } = this.stack;
    return Person.signsUp(name, { webUrl, domain, clientUrl: ejabberd.clientUrl });
  }

  async close(): Promise<void> {
    await this.stack.stop();
    await rm(this.#home, { recursive: true, force: true });
  }
}
