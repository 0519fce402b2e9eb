import type { Bus } from "@tidings/bus";
import { SourceStandings } from "@tidings/ingest";
import type { Addresses } from "@tidings/protocol";

const ASK_TIMEOUT_MS = 8_000;

/** Asks the source avatars of inboxes over `bus`. */
export function inboxStandings(bus: Bus, { silo }: Addresses): SourceStandings {
  return new SourceStandings(async (source) => {
    const { standing } = await bus.call({
      from: bus.address,
      to: `${source}@${silo}`,
      name: "publisherStanding",
      args: {},
      authority: null,
      timeoutMs: ASK_TIMEOUT_MS,
    });
    return standing;
  });
}
