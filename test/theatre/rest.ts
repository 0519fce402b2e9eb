/** The REST interface as a program outside uses it. */

export interface Answer {
  readonly status: number;
  /** The JSON body; null when there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: a play reads what came without a schema, as any client may
  readonly body: any;
}

export class Rest {
  readonly #base: string;
  readonly token: string | null;

  /** `token` of a session; null for what needs none. */
  constructor(base: string, token: string | null = null) {
    this.#base = base;
    this.token = token;
  }

  /** The same session at another installation. */
  at(base: string): Rest {
    return new Rest(base, this.token);
  }

  get(path: string): Promise<Answer> {
    return this.ask("GET", path);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.ask("POST", path, body);
  }

  delete(path: string): Promise<Answer> {
    return this.ask("DELETE", path);
  }

  /** One request with a body of another kind than JSON, or an answer of one: its text. Throws where it went wrong. */
  async raw(method: string, path: string, body: string | undefined, type: string): Promise<string> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: { connection: "close", "content-type": type, authorization: `Bearer ${this.token}` },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    return text;
  }

  /** One request; whatever the status is, it resolves. A string body is sent as it is. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        connection: "close",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }
}

/** The body of an answer that went well. Throws with what the server said otherwise. */
export function wellDone({ status, body }: Answer): Answer["body"] {
  if (status >= 400) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body;
}
