/** Somebody with an account: signed up through REST, with a client on the users cluster. */
import { eventually, type Patience } from "@tidings/testkit";
import { expect } from "vitest";
import { ChatClient, type Heard } from "./chat-client.ts";
import type { Feed } from "./feed.ts";
import { type Answer, Rest, wellDone } from "./rest.ts";

export interface Stage {
  readonly webUrl: string;
  readonly domain: string;
  /** Client listener of the users cluster. */
  readonly clientUrl: string;
}

export class Person {
  readonly name: string;
  readonly password: string;
  /** Their IM account, and the contact that brings the notifications. */
  readonly jid: string;
  readonly agent: string;
  /** The REST interface with their session. */
  readonly rest: Rest;
  readonly client: ChatClient;
  /** Whether they have erased their account. */
  isGone = false;

  private constructor(name: string, password: string, stage: Stage, token: string) {
    this.name = name;
    this.password = password;
    this.jid = `${name}@${stage.domain}`;
    this.agent = `${name}@im.agents.${stage.domain}`;
    this.rest = new Rest(stage.webUrl, token);
    this.client = new ChatClient({ url: stage.clientUrl, domain: stage.domain, username: name, password });
  }

  /** Signs up and opens a session. */
  static async signsUp(name: string, stage: Stage): Promise<Person> {
    const password = `open sesame ${name}`;
    const outside = new Rest(stage.webUrl);
    wellDone(await outside.post("/v1/users", { name, password }));
    const { token } = wellDone(await outside.post("/v1/sessions", { name, password }));
    return new Person(name, password, stage, token);
  }

  /** Somebody who has signed up elsewhere, such as on the page. */
  static async signsIn(name: string, password: string, stage: Stage): Promise<Person> {
    const { token } = wellDone(await new Rest(stage.webUrl).post("/v1/sessions", { name, password }));
    return new Person(name, password, stage, token);
  }

  get account(): { readonly name: string; readonly password: string } {
    return { name: this.name, password: this.password };
  }

  /** Erases everything of theirs, and their account. */
  async erasesEverything(): Promise<void> {
    wellDone(await this.rest.delete("/v1/me"));
    this.isGone = true;
  }

  /** Their client logs in; resolves when their avatar knows of it. */
  async comesOnline(): Promise<void> {
    await this.client.comesOnline();
    await this.isSeenAt(this.jid);
  }

  /** Their client logs out; resolves when their avatar knows of it. */
  async goesOffline(): Promise<void> {
    await this.client.goesOffline();
    await this.isNotSeenAt(this.jid);
  }

  /** Resolves when their avatar knows that they are at `address`. */
  isSeenAt(address: string): Promise<void> {
    return eventually(async () => {
      if (!(await this.#addressesSeen()).includes(address)) throw new Error(`not seen at ${address}`);
    });
  }

  isNotSeenAt(address: string): Promise<void> {
    return eventually(async () => {
      if ((await this.#addressesSeen()).includes(address)) throw new Error(`still seen at ${address}`);
    });
  }

  hears(text: string, patience?: Patience): Promise<Heard> {
    return this.client.hears(text, patience);
  }

  /** Says `text` to the agent and resolves to what it answers. */
  async asks(text: string): Promise<string> {
    const before = this.#replies().length;
    await this.client.says(this.agent, text);
    return eventually(() => {
      const reply = this.#replies()[before];
      if (reply === undefined) throw new Error(`the agent has not answered "${text}"`);
      return reply.body;
    });
  }

  /** Links an address of theirs on another server: the code goes from there to the agent. Its client must be online. */
  async links(elsewhere: ChatClient): Promise<void> {
    const address = elsewhere.jid;
    const { code } = wellDone(await this.rest.post("/v1/destinations", { channel: "im", address }));
    await elsewhere.adds(this.agent);
    await elsewhere.sees(this.agent);
    await elsewhere.says(this.agent, code);
    await elsewhere.hears("This address is linked");
    await this.isSeenAt(address);
  }

  /** Subscribes; resolves to the subscription's id when the feed's present items are known and later ones are news. */
  async subscribes(feed: Feed, url: string = feed.url): Promise<string> {
    const { id } = wellDone(await this.rest.post("/v1/subscriptions", { url }));
    await this.hasSubscription(id, { state: "active" });
    return id;
  }

  /** Their notifications, newest first. */
  async history(): Promise<Answer["body"][]> {
    return wellDone(await this.rest.get("/v1/history?limit=200")).items;
  }

  /** Resolves to the notification in their history with this title or link, once its state is `state`. */
  hasInHistory(titleOrLink: string, state: string): Promise<Answer["body"]> {
    return eventually(async () => {
      const items = await this.history();
      const found = items.find(({ title, link }) => title === titleOrLink || link === titleOrLink);
      if (found?.state === state) return found;
      throw new Error(`"${titleOrLink}" is ${found?.state ?? "absent"} and not ${state}`);
    });
  }

  /** Resolves to their history, newest first, once it has `count` notifications. */
  hasHistoryOf(count: number): Promise<Answer["body"][]> {
    return eventually(async () => {
      const items = await this.history();
      if (items.length < count)
        throw new Error(`${items.length} of ${count} notifications are in the history`);
      return items;
    });
  }

  /** Resolves when the subscription `id` looks like `wanted`. */
  async hasSubscription(id: string, wanted: object): Promise<void> {
    await eventually(async () => {
      expect(wellDone(await this.rest.get(`/v1/subscriptions/${id}`))).toMatchObject(wanted);
    });
  }

  async #addressesSeen(): Promise<string[]> {
    const { presence } = wellDone(await this.rest.get("/v1/me"));
    return presence.map(({ address }: { address: string }) => address);
  }

  #replies(): Heard[] {
    return this.client.heard.filter(({ from, isDelivery }) => from === this.agent && !isDelivery);
  }
}
