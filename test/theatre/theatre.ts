/**
 * Everything that a play needs: people, feeds, foreign servers, and hands on the installation's processes.
 *
 *     const theatre = openTheatre();
 *     afterEach(() => theatre.clears());
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { inject } from "vitest";
import { openAuthority } from "../../run/ejabberd/authority.ts";
import type { Role } from "../../run/ejabberd/nodes.ts";
import { type ForeignServer, startForeignServer } from "../foreign-server.ts";
import { Window } from "./browser.ts";
import { ChatClient } from "./chat-client.ts";
import { Feed } from "./feed.ts";
import { Hook } from "./hook.ts";
import { Hub } from "./hub.ts";
import { Person, type Stage } from "./person.ts";
import { order } from "./remote-control.ts";

export interface Abroad {
  readonly domain: string;
  /** The client of `user`, who has an account there. */
  client(user: string): ChatClient;
  /** The server is away during `work`, and back afterwards, also when that fails; clients are made anew. */
  isAwayDuring(work: () => Promise<void>): Promise<void>;
}

export class Theatre {
  readonly domain = inject("domain");
  readonly webUrl = inject("webUrl");
  readonly #control = inject("remoteControlUrl");
  readonly #stage: Stage = { webUrl: this.webUrl, domain: this.domain, clientUrl: inject("clientUrl") };
  readonly #leftovers: (() => Promise<void>)[] = [];

  /** Signs somebody up under a name that begins with `name`. */
  async user(name: string): Promise<Person> {
    return this.#seesOff(await Person.signsUp(uniqueName(name), this.#stage));
  }

  /** Somebody who has signed up on the page. */
  async whoSignedUp(name: string, password: string): Promise<Person> {
    return this.#seesOff(await Person.signsIn(name, password, this.#stage));
  }

  /** Opens the page in a browser, with a window of `viewport`. */
  async window(viewport?: { width: number; height: number }): Promise<Window> {
    const window = await Window.open(this.webUrl, viewport);
    this.#leftovers.push(() => window.close());
    return window;
  }

  /** Opens a web site with an empty feed called `title`. */
  async feed(title: string): Promise<Feed> {
    const feed = await Feed.open(title);
    this.#leftovers.push(() => feed.close());
    return feed;
  }

  /** Opens a web server to which somebody posts. */
  async hook(): Promise<Hook> {
    const hook = await Hook.open();
    this.#leftovers.push(() => hook.close());
    return hook;
  }

  /** Opens a WebSub hub. */
  async hub(): Promise<Hub> {
    const hub = await Hub.open();
    this.#leftovers.push(() => hub.close());
    return hub;
  }

  /** Starts a server of somebody else with accounts for `users`. */
  async abroad(...users: readonly string[]): Promise<Abroad> {
    const home = await mkdtemp(join(tmpdir(), "tidings-abroad-"));
    this.#leftovers.push(() => rm(home, { recursive: true, force: true }));
    const domain = `abroad${randomBytes(3).toString("hex")}.localhost`;
    const told: Promise<unknown>[] = [];
    const authority = await openAuthority(inject("home"));
    const passwords = Object.fromEntries(users.map((user) => [user, "far away"]));
    const start = async (): Promise<ForeignServer> => {
      const srv = await this.#remoteSrv(told);
      const started = await startForeignServer({ home, domain, srv, authority, users: passwords });
      await Promise.all(told);
      return started;
    };
    let server = await start();
    const stop = async () => {
      await server.stop();
      await Promise.all(told);
    };
    this.#leftovers.push(stop);
    return {
      domain,
      client: (username) => this.#client(server.clientUrl, domain, username),
      isAwayDuring: async (work) => {
        await stop();
        try {
          await work();
        } finally {
          server = await start();
        }
      },
    };
  }

  #seesOff(person: Person): Person {
    this.#leftovers.push(async () => {
      await person.client.goesOffline();
      if (!person.isGone) await person.erasesEverything();
    });
    return person;
  }

  /** `kill -9` for a process of the installation, such as `avatar-host-h1`; it is started again by its supervisor. */
  async kills(process: string): Promise<void> {
    await order(this.#control, "kill", { process });
  }

  /** `kill -9` for a cluster of ejabberd, which comes back after `work`, also when that fails. */
  async isWithout(role: Role, work: () => Promise<void>): Promise<void> {
    await order(this.#control, "killNode", { role });
    try {
      await work();
    } finally {
      await order(this.#control, "startNode", { role });
    }
  }

  /** `kill -9` for processes, which come back after `work`, one after the other, also when that fails. */
  async isWithoutProcesses(processes: readonly string[], work: () => Promise<void>): Promise<void> {
    for (const process of processes) await order(this.#control, "holdProcess", { process });
    try {
      await work();
    } finally {
      for (const process of processes.toReversed()) await order(this.#control, "startProcess", { process });
    }
  }

  /** Resolves when the process runs (again). */
  async isBack(process: string): Promise<void> {
    await order(this.#control, "whenRunning", { process });
  }

  /** Ends all that the play has brought: clients, accounts, feeds, servers. Rejects with the first failure, after all. */
  async clears(): Promise<void> {
    const failures: unknown[] = [];
    for (const clear of this.#leftovers.splice(0).reverse()) {
      await clear().catch((error) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  #client(url: string, domain: string, username: string): ChatClient {
    const client = new ChatClient({ url, domain, username, password: "far away" });
    this.#leftovers.push(() => client.goesOffline());
    return client;
  }

  /** The responder to SRV look-ups of the installation; what it is told goes to `told`. */
  async #remoteSrv(told: Promise<unknown>[]) {
    const servers = await order(this.#control, "servers", {});
    return {
      port: inject("ports").srv,
      domains: new Map(Object.entries(servers as Record<string, number>)),
      add: (domain: string, port: number) =>
        void told.push(order(this.#control, "addServer", { domain, port })),
      remove: (domain: string) => void told.push(order(this.#control, "removeServer", { domain })),
      stop: async () => {},
    };
  }
}

/** A theatre for the plays of one file. What this process connects to may be certified by the installation's authority. */
export function openTheatre(): Theatre {
  const authority = readFileSync(join(inject("home"), "ca.crt"), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), authority]);
  return new Theatre();
}

/** A name that nobody else has, which begins with `name`. */
export function uniqueName(name: string): string {
  return `${name}-${randomBytes(5).toString("hex")}`;
}
