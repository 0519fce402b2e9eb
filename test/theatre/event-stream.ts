/** A page's side of server-sent events, as a browser reads them: it comes back by itself, with the last id that it has got. */
import { eventually, type Patience } from "@tidings/testkit";

export interface ServerEvent {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a play reads what came without a schema, as a page does
  readonly data: any;
  /** When it came (milliseconds of `performance.now`). */
  readonly atMs: number;
}

export class EventStream {
  readonly events: ServerEvent[] = [];
  readonly #ended = new AbortController();
  /** Connections so far. */
  connections = 0;
  /** How many were answered with 401. */
  refusals = 0;
  #lastId = "";

  constructor(url: string, token: string | null) {
    void this.#readOn(url, token);
  }

  /** Resolves to the first event `name` whose data `isWanted`. */
  hears(
    name: string,
    isWanted: (data: ServerEvent["data"]) => boolean = () => true,
    patience?: Patience,
  ): Promise<ServerEvent> {
    return eventually(() => {
      const found = this.events.find((event) => event.name === name && isWanted(event.data));
      if (found === undefined)
        throw new Error(`no such event among ${JSON.stringify(this.events).slice(-2_000)}`);
      return found;
    }, patience);
  }

  close(): void {
    this.#ended.abort();
  }

  async #readOn(url: string, token: string | null): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        const headers = { authorization: `Bearer ${token}`, "last-event-id": this.#lastId };
        const response = await fetch(url, { headers, signal });
        this.connections++;
        if (response.status === 401) this.refusals++;
        let rest = "";
        for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
          const blocks = (rest + chunk).split("\n\n");
          rest = blocks.pop() ?? "";
          for (const block of blocks) this.#take(block);
        }
      } catch {
        // The server is away: like a browser, it tries again.
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  #take(block: string): void {
    const fields = Object.fromEntries(
      block.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
    );
    if (fields.id !== undefined) this.#lastId = fields.id;
    if (fields.event === undefined) return;
    this.events.push({
      name: fields.event,
      data: JSON.parse(fields.data ?? "null"),
      atMs: performance.now(),
    });
  }
}
