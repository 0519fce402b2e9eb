/** All shards, each in the shade of its host; the host's number is in each, so that nothing is said by the shade alone. */
import type { Shard } from "../operator.ts";

/** Shades that are told apart; hosts beyond them begin anew. */
const SHADES = 6;

export function ShardMap({ shards }: { readonly shards: readonly Shard[] }) {
  return (
    <section>
      <h2>Shards</h2>
      <ol class="shards" aria-label="Shards and their hosts">
        {shards.map(({ shard, host, epoch }) => (
          <li
            key={shard}
            data-shade={host === null ? "none" : Number(host.slice(1)) % SHADES}
            title={host === null ? `shard ${shard}: no host` : `shard ${shard}: ${host}, epoch ${epoch}`}
          >
            <span class="hidden">shard {shard}: </span>
            {host ?? "–"}
          </li>
        ))}
      </ol>
    </section>
  );
}
