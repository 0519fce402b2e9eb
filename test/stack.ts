/**
 * Starts one installation for all plays of a run, on ports of its own, and tells each play where it is.
 *
 *     this process: the installation ◀──remote control──▶ each test file's process: its plays
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import type { Ports } from "../run/ports.ts";
import { type Stack, startStack } from "../run/stack.ts";
import { serveRemoteControl } from "./theatre/remote-control.ts";

/** Shortest time between two polls of a feed in the plays (seconds). */
const POLL_SECONDS = 1;

declare module "vitest" {
  export interface ProvidedContext {
    /** State folder of the installation. */
    readonly home: string;
    readonly domain: string;
    readonly webUrl: string;
    readonly ports: Ports;
    readonly amqpUrl: string;
    readonly dynamoEndpoint: string;
    /** Component listeners. */
    readonly busUrls: { readonly agents: string; readonly avatars: string };
    /** Client listener of the users cluster. */
    readonly clientUrl: string;
    readonly remoteControlUrl: string;
    readonly pollMs: number;
  }
}

/** Resolves when everything answers, to the function that ends it all. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const named = process.env.TIDINGS_TEST_HOME;
  const home = named ?? (await mkdtemp(join(tmpdir(), "tidings-plays-")));
  const stack = await startStack({
    home,
    domain: "stage.localhost",
    webPort: "free",
    xmppPort: "free",
    pollMinSeconds: POLL_SECONDS,
    fetchAllow: "127.0.0.0/8,::1/128",
  });
  const remoteControl = await serveRemoteControl(stack);
  provide(project, stack, remoteControl.url);
  return async () => {
    await remoteControl.close();
    await stack.stop();
    if (named === undefined) await rm(home, { recursive: true, force: true });
  };
}

function provide(project: TestProject, stack: Stack, remoteControlUrl: string): void {
  const { home, domain, webUrl, ports, amqpUrl, dynamoEndpoint, ejabberd } = stack;
  project.provide("home", home);
  project.provide("domain", domain);
  project.provide("webUrl", webUrl);
  project.provide("ports", ports);
  project.provide("amqpUrl", amqpUrl);
  project.provide("dynamoEndpoint", dynamoEndpoint);
  project.provide("busUrls", ejabberd.busUrls);
  project.provide("clientUrl", ejabberd.clientUrl);
  project.provide("remoteControlUrl", remoteControlUrl);
  project.provide("pollMs", POLL_SECONDS * 1_000);
}
