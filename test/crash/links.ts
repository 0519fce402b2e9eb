/** The links of an installation: which process reaches which server through which proxy. */
import { AckWatch } from "./ack-watch.ts";
import { DynamoLink } from "./dynamo-link.ts";
import { EffectWatch } from "./effect-watch.ts";
import { Link } from "./link.ts";

/** What a process connects to: the database, RabbitMQ, the component listener of its cluster. */
export type Server = "dynamo" | "amqp" | "bus";

const VARIABLES: Readonly<Record<Server, string>> = {
  dynamo: "TIDINGS_DYNAMODB_ENDPOINT",
  amqp: "TIDINGS_AMQP_URL",
  bus: "TIDINGS_BUS_URL",
};

export class Links {
  /** What the processes were told of each shard's effects. */
  readonly effects = new EffectWatch();
  /** What was acknowledged between shards, and what the journal had by then. */
  readonly acks = new AckWatch();
  readonly #links = new Map<string, Link>();

  /** `env` of `process` with every address replaced by that of a proxy before it. */
  async through(process: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
    const changed = { ...env };
    for (const [server, variable] of Object.entries(VARIABLES)) {
      const address = env[variable];
      if (address !== undefined) changed[variable] = await this.#before(process, server as Server, address);
    }
    return changed;
  }

  /** Throws when there is no such link. */
  link(process: string, server: "dynamo"): DynamoLink;
  link(process: string, server: Server): Link;
  link(process: string, server: Server): Link {
    const link = this.#links.get(`${process} to ${server}`);
    if (link === undefined) throw new Error(`no link leads from ${process} to ${server}`);
    return link;
  }

  get all(): readonly Link[] {
    return [...this.#links.values()];
  }

  heal(): void {
    for (const link of this.#links.values()) link.heals();
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((link) => link.close()));
  }

  async #before(process: string, server: Server, address: string): Promise<string> {
    const target = Number(new URL(address).port);
    const link = await this.#open(process, server, { name: `${process} to ${server}`, target });
    this.#links.set(link.name, link);
    return address.replace(`:${target}`, `:${link.port}`);
  }

  async #open(process: string, server: Server, options: { name: string; target: number }): Promise<Link> {
    if (server === "amqp") return Link.open(options);
    if (server === "bus") {
      return Link.open({
        ...options,
        watch: (connection, way, chunk) => {
          if (way === "back") this.effects.sees(process, connection, chunk);
          else this.acks.sees(options.name, connection, chunk);
        },
      });
    }
    const link = await DynamoLink.open(options);
    link.watches((request, reply) => this.acks.writes(request, reply));
    return link;
  }
}
