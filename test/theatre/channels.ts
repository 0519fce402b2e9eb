/** An installation with the agents for text messages and mail, whose provider and relay are the play's own. */
import { eventually } from "@tidings/testkit";
import type { Stack } from "../../run/stack.ts";
import { type RelayStage, setRelay } from "../../services/agent-email/src/relay-stage.ts";
import {
  ACCOUNT_SID,
  AUTH_TOKEN,
  FROM,
  type ProviderStage,
  setProvider,
} from "../../services/agent-sms/src/provider-stage.ts";
import { Feed } from "./feed.ts";
import { freePort } from "./free-port.ts";
import { Installation } from "./installation.ts";
import type { Person } from "./person.ts";
import { wellDone } from "./rest.ts";

export class Channels {
  readonly provider: ProviderStage;
  readonly relay: RelayStage;
  /** Where the provider calls back. */
  readonly callbacks: string;
  readonly #installation: Installation;
  readonly #feeds: Feed[] = [];

  private constructor(
    installation: Installation,
    provider: ProviderStage,
    relay: RelayStage,
    callbacks: string,
  ) {
    this.provider = provider;
    this.relay = relay;
    this.callbacks = callbacks;
    this.#installation = installation;
  }

  static async open(domain: string): Promise<Channels> {
    const [provider, relay, port] = await Promise.all([setProvider(), setRelay(), freePort()]);
    const callbacks = `http://127.0.0.1:${port}`;
    const installation = await Installation.open({
      domain,
      sms: {
        TWILIO_ACCOUNT_SID: ACCOUNT_SID,
        TWILIO_AUTH_TOKEN: AUTH_TOKEN,
        TWILIO_FROM: FROM,
        TWILIO_API_BASE: provider.base,
        TIDINGS_SMS_COUNTRIES: "US",
        TIDINGS_SMS_CALLBACK_URL: callbacks,
        TIDINGS_SMS_CALLBACK_PORT: String(port),
      },
      mail: {
        TIDINGS_SMTP_RELAY: relay.url,
        TIDINGS_MAIL_DOMAIN: `in.${domain}`,
        TIDINGS_MAIL_FROM: `notifications@${domain}`,
        TIDINGS_MAIL_PUBLIC_URL: "",
      },
    });
    return new Channels(installation, provider, relay, callbacks);
  }

  async close(): Promise<void> {
    await this.#installation.close();
    const servers = [...this.#feeds.map((feed) => feed.close()), this.provider.stop(), this.relay.stop()];
    await Promise.all(servers);
  }

  get stack(): Stack {
    return this.#installation.stack;
  }

  signsUp(name: string): Promise<Person> {
    return this.#installation.signsUp(name);
  }

  /** Adds an address to those of `person`, who proves it by the code that has come there. */
  async adds(person: Person, channel: "sms" | "email", address: string): Promise<void> {
    const added = wellDone(await person.rest.post("/v1/destinations", { channel, address }));
    if (added.state !== "unverified" || added.problem !== null) throw new Error(JSON.stringify(added));
    const code = await eventually(() => this.#codeAt(channel, address));
    const verified = wellDone(await person.rest.post(`/v1/destinations/${added.id}/verify`, { code }));
    if (verified.state !== "verified") throw new Error(JSON.stringify(verified));
  }

  /** A feed that `person` follows with that `priority`. */
  async feedOf(person: Person, priority: number): Promise<Feed> {
    const feed = await Feed.open(`feed of ${person.name}`);
    this.#feeds.push(feed);
    const id = await person.subscribes(feed);
    wellDone(await person.rest.ask("PATCH", `/v1/subscriptions/${id}`, { priority }));
    return feed;
  }

  /** The texts of the messages to `number`. */
  textsTo(number: string): string[] {
    return this.provider.messages.filter(({ to }) => to === number).map(({ body }) => body);
  }

  /** The subjects of the mails to `address`. */
  subjectsTo(address: string): string[] {
    const mails = this.relay.taken.filter(({ to }) => to.includes(address));
    return mails.map(({ raw }) => /^Subject: (.*)$/m.exec(raw)?.[1] ?? "");
  }

  #codeAt(channel: "sms" | "email", address: string): string {
    const said = channel === "sms" ? this.textsTo(address) : this.subjectsTo(address);
    const code = /\b\d{6}\b/.exec(said.at(-1) ?? "")?.[0];
    if (code === undefined) throw new Error(`no code has come to ${address}`);
    return code;
  }
}
