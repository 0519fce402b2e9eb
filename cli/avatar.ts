/** `tidings avatar show|move`: where an avatar is and how much it holds, and having it served by another host. */
import { type Command, Misunderstood } from "./command.ts";
import { operatorOf } from "./operator.ts";

interface Avatar {
  readonly avatar: string;
  readonly shard: number;
  readonly epoch: number;
  readonly host: string;
  readonly isAwake: boolean;
  readonly rows: number;
  readonly chars: number;
  readonly kinds: readonly { readonly kind: string; readonly rows: number }[];
  readonly alarmAt: string | null;
  readonly deadLetters: number;
}

export const avatar: Command = {
  name: "avatar",
  summary: "Shows where an avatar is, or has its shard given to another host.",
  usage: "tidings avatar show <name> [--json]\ntidings avatar move <name> <host> [--json]",
  examples: ["tidings avatar show alice", "tidings avatar move alice h2   # with all of alice's shard"],
  run: async (args, surroundings) => {
    const isJson = args.includes("--json");
    const [action, name, host, ...others] = args.filter((arg) => arg !== "--json");
    if (name === undefined || others.length > 0) throw new Misunderstood(avatar);
    const path = `/avatars/${encodeURIComponent(name)}`;
    const ask = operatorOf(surroundings);
    if (action === "show" && host === undefined) {
      const found = (await ask("GET", path)) as Avatar;
      for (const line of isJson ? [JSON.stringify(found)] : linesOf(found)) surroundings.out(line);
      return 0;
    }
    if (action !== "move" || host === undefined) throw new Misunderstood(avatar);
    const moved = (await ask("POST", `${path}/move`, { host })) as {
      shard: number;
      from: string;
      to: string;
    };
    const { shard, from, to } = moved;
    const sentence =
      from === to ? `${to} has shard ${shard} already` : `shard ${shard} went from ${from} to ${to}`;
    surroundings.out(isJson ? JSON.stringify(moved) : sentence);
    return 0;
  },
};

function linesOf({ avatar: name, shard, epoch, host, ...found }: Avatar): string[] {
  const { isAwake, rows, chars, kinds, alarmAt, deadLetters } = found;
  const most = kinds.toSorted((a, b) => b.rows - a.rows).map(({ kind, rows: count }) => `${kind} ${count}`);
  return [
    `${name} is in shard ${shard}, which ${host} serves in epoch ${epoch}`,
    `${isAwake ? "awake" : "asleep"}; ${alarmAt === null ? "no alarm is set" : `its alarm rings at ${alarmAt}`}`,
    `${rows} rows of ${chars} characters: ${most.join(", ")}`,
    ...(deadLetters === 0 ? [] : [`${deadLetters} dead letters; see tidings dead-letters list`]),
  ];
}
