/** A RabbitMQ in a folder of its own: the installation's services would take part in plays about its queues. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Crew } from "../run/crew.ts";
import { epmd } from "../run/epmd.ts";
import { openHome } from "../run/home.ts";
import { choosePorts } from "../run/ports.ts";
import { rabbitmq } from "../run/rabbitmq.ts";
import { tagOf } from "../run/tag.ts";

export interface LoneBroker {
  /** `amqp://…` with the password. */
  readonly url: string;
  /** Ends it and removes the folder. */
  stop(): Promise<void>;
}

/** Starts a broker without queues. Rejects when it does not come up. */
export async function startLoneBroker(): Promise<LoneBroker> {
  const home = await mkdtemp(join(tmpdir(), "tidings-broker-"));
  const crew = new Crew(home, () => {});
  const stop = async () => {
    await crew.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    openHome(home);
    const ports = await choosePorts(home);
    await crew.start("ground", epmd(ports.epmd));
    const { spec, url } = rabbitmq({
      home,
      tag: tagOf(home),
      port: ports.amqp,
      distributionPort: ports.amqpDistribution,
      epmdPort: ports.epmd,
    });
    await crew.start("servers", spec);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
