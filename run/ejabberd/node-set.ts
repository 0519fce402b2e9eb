/**
 * The nodes of an installation: each is wanted up or down, and one that dies while it is wanted up is started again.
 *
 *     down ──start──▶ up ──dies──▶ (1 s) ──▶ up
 *      ▲               │
 *      └──kill, stop───┘
 */
import { setTimeout as delay } from "node:timers/promises";
import { type NodeProcess, type NodeSettings, startNode } from "./node-process.ts";
import { ROLES, type Role } from "./roles.ts";

const RESTART_AFTER_MS = 1_000;

export class NodeSet {
  readonly #settings: Record<Role, NodeSettings>;
  readonly #log: (line: string) => void;
  readonly #running = new Map<Role, NodeProcess>();
  readonly #closing = new AbortController();

  constructor(settings: Record<Role, NodeSettings>, log: (line: string) => void) {
    this.#settings = settings;
    this.#log = log;
  }

  /** Process id of a node; null while it is down. */
  pid(role: Role): number | null {
    return this.#running.get(role)?.pid ?? null;
  }

  /** Starts a node that is down. Rejects with NodeStartError. */
  async start(role: Role): Promise<void> {
    const node = await startNode(this.#settings[role]);
    if (this.#closing.signal.aborted) return node.stop();
    this.#running.set(role, node);
    this.#log(`ejabberd ${role} is up`);
    void node.ended.then(() => this.#revive(role, node));
  }

  async kill(role: Role): Promise<void> {
    await this.#takeOut(role)?.kill();
  }

  async restart(role: Role): Promise<void> {
    await this.#takeOut(role)?.stop();
    await this.start(role);
  }

  /** Ends all nodes; none is started again. May be called twice. */
  async stop(): Promise<void> {
    this.#closing.abort();
    await Promise.all(ROLES.map((role) => this.#takeOut(role)?.stop()));
  }

  /** From here on the node's end is wanted. */
  #takeOut(role: Role): NodeProcess | undefined {
    const node = this.#running.get(role);
    this.#running.delete(role);
    return node;
  }

  async #revive(role: Role, node: NodeProcess): Promise<void> {
    if (this.#running.get(role) !== node) return;
    this.#running.delete(role);
    this.#log(`ejabberd ${role} has died; it is started again`);
    while (!this.#closing.signal.aborted) {
      try {
        await delay(RESTART_AFTER_MS, undefined, { signal: this.#closing.signal });
        return await this.start(role);
      } catch (error) {
        if (!this.#closing.signal.aborted)
          this.#log(`ejabberd ${role}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
}
