/** Hosts as processes on this machine: asks the supervisor that has started this one, over HTTP on loopback. */
import { type Driver, DriverError, type RunningHost } from "./driver.ts";

const TIMEOUT_MS = 5_000;

export class ProcessDriver implements Driver {
  readonly #url: string;
  readonly #token: string;

  /** `url` of the supervisor, without a slash at its end, which is asked with `token`. */
  constructor(url: string, token: string) {
    [this.#url, this.#token] = [url, token];
  }

  async list(): Promise<readonly RunningHost[]> {
    return (await this.#ask("GET", "/hosts")) as readonly RunningHost[];
  }

  async start(name: string): Promise<void> {
    await this.#ask("PUT", `/hosts/${name}`);
  }

  async stop(name: string): Promise<void> {
    await this.#ask("DELETE", `/hosts/${name}`);
  }

  async #ask(method: string, path: string): Promise<unknown> {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { authorization: `Bearer ${this.#token}`, connection: "close" };
    try {
      const response = await fetch(this.#url + path, { method, headers, signal });
      const answer = (await response.json()) as { readonly error?: string };
      if (!response.ok) throw new DriverError(answer.error ?? `the supervisor answered ${response.status}`);
      return answer;
    } catch (cause) {
      if (cause instanceof DriverError) throw cause;
      throw new DriverError("the supervisor that starts hosts does not answer", { cause });
    }
  }
}
