/** `tidings dead-letters list|replay`: what could not be taken or delivered, over the operators' routes. */
import { type Command, CommandFailed, Misunderstood, type Surroundings } from "./command.ts";
import { type Ask, operatorOf } from "./operator.ts";

interface DeadLetter {
  readonly id: string;
  readonly at: string | null;
  readonly kind: string;
  readonly error: string;
}

export const deadLetters: Command = {
  name: "dead-letters",
  summary: "Lists what could not be taken or delivered, or has it tried again.",
  usage: "tidings dead-letters list [--json]\ntidings dead-letters replay <id>|--all [--json]",
  examples: ["tidings dead-letters list --json", "tidings dead-letters replay --all"],
  run: async (args, surroundings) => {
    const isJson = args.includes("--json");
    const [action, id] = args.filter((arg) => arg !== "--json");
    const ask = operatorOf(surroundings);
    if (action === "list" && id === undefined) return list(ask, isJson, surroundings);
    if (action === "replay" && id === "--all") {
      const all = await everyLetter(ask);
      return replay(
        ask,
        all.map((letter) => letter.id),
        isJson,
        surroundings,
      );
    }
    if (action === "replay" && id !== undefined) return replay(ask, [id], isJson, surroundings);
    throw new Misunderstood(deadLetters);
  },
};

async function list(ask: Ask, isJson: boolean, { out, err }: Surroundings): Promise<number> {
  const all = await everyLetter(ask);
  for (const letter of all) {
    const { id, at, kind, error } = letter;
    out(isJson ? JSON.stringify(letter) : `${id}  ${at ?? "-"}  ${kind}  ${error}`);
  }
  if (all.length === 0 && !isJson) err("there are no dead letters");
  return 0;
}

/** Exit code 1 when one of them could not be taken again. */
async function replay(
  ask: Ask,
  ids: readonly string[],
  isJson: boolean,
  { out, err }: Surroundings,
): Promise<number> {
  let failures = 0;
  for (const id of ids) {
    try {
      await ask("POST", `/dead-letters/${encodeURIComponent(id)}/replay`);
      out(isJson ? JSON.stringify({ id, replayed: true }) : `replayed ${id}`);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      failures++;
      if (isJson) out(JSON.stringify({ id, replayed: false, problem: error.message }));
      else err(`${id}: ${error.message}`);
    }
  }
  return failures === 0 ? 0 : 1;
}

async function everyLetter(ask: Ask): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page = (await ask("GET", `/dead-letters?limit=200${query}`)) as {
      items: DeadLetter[];
      next: string | null;
    };
    all.push(...page.items);
    cursor = page.next;
  }
  return all;
}
