/** The clusters cannot reach each other: no dispatch gets to an agent, no message to a user, no call to an avatar. */
import { setTimeout as pause } from "node:timers/promises";
import type { Violation } from "../invariants.ts";
import { Link } from "../link.ts";
import type { Random } from "../random.ts";
import type { Stage } from "../stage.ts";
import { underLoad } from "../under-load.ts";
import type { Scenario } from "./scenario.ts";

interface Extent {
  /** How long they are cut off from each other (milliseconds). */
  readonly downMs: number;
  readonly feeds: number;
  readonly items: number;
  readonly settledWithinMs: number;
}

const SHORT: Extent = { downMs: 20_000, feeds: 4, items: 3_600, settledWithinMs: 120_000 };
/** What nobody has taken is sent again after ten minutes at the latest. */
const LONG: Extent = { downMs: 600_000, feeds: 4, items: 3_600, settledWithinMs: 900_000 };

export const s2sDown: Scenario = {
  name: "s2s-down",
  sentence: "the clusters cannot reach each other for 20 s (--long: 10 minutes), and all is told afterwards",
  play: (stage, random) => playS2sDown(stage, random, SHORT),
  playLong: (stage, random) => playS2sDown(stage, random, LONG),
};

async function playS2sDown(stage: Stage, random: Random, extent: Extent): Promise<Violation[]> {
  const { downMs, feeds, items, settledWithinMs } = extent;
  const federation = await Federation.goesThroughLinks(stage);
  try {
    return await underLoad(
      stage,
      random,
      { feeds, items, lengthMs: downMs + 2_000, settledWithinMs },
      async () => {
        federation.mustBeInUse();
        federation.cuts();
        await pause(downMs);
        federation.heals();
      },
    );
  } finally {
    await federation.goesStraight();
  }
}

/** The connections between the clusters, which find each other by SRV records (run/ejabberd/srv-responder.ts). */
class Federation {
  readonly #stage: Stage;
  readonly #links: ReadonlyMap<string, Link>;
  readonly #ports: ReadonlyMap<string, number>;

  private constructor(stage: Stage, links: ReadonlyMap<string, Link>, ports: ReadonlyMap<string, number>) {
    this.#stage = stage;
    this.#links = links;
    this.#ports = ports;
  }

  /** Every connection between two clusters has the agents at one end, so that their restart makes all of them anew. */
  static async goesThroughLinks(stage: Stage): Promise<Federation> {
    const { srv } = stage.stack.ejabberd;
    const ports = new Map(srv.domains);
    const links = new Map<string, Link>();
    for (const [domain, target] of ports) {
      const link = await Link.open({ name: `federation to ${domain}`, target });
      links.set(domain, link);
      srv.add(domain, link.port);
    }
    await stage.restartsNode("agents");
    return new Federation(stage, links, ports);
  }

  mustBeInUse(): void {
    const unused = [...this.#links].filter(([, { connected }]) => connected === 0).map(([domain]) => domain);
    if (unused.length > 0) throw new Error(`no cluster has reached ${unused.join(", ")} through its link`);
  }

  cuts(): void {
    for (const link of this.#links.values()) link.cuts();
  }

  heals(): void {
    for (const link of this.#links.values()) link.heals();
  }

  async goesStraight(): Promise<void> {
    const { srv } = this.#stage.stack.ejabberd;
    for (const [domain, port] of this.#ports) srv.add(domain, port);
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }
}
