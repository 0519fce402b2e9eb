/** A user with a real client online, as people have one. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Bus, connectClient } from "@tidings/bus";
import { xml } from "@tidings/protocol";
import { silentLog } from "@tidings/runtime";
import type { Stack } from "../run/stack.ts";

export type Arrivals = ReturnType<typeof listen>;

/** When each message came first, by its id, and how many came again. The client confirms what asks for it (XEP-0184). */
export function listen(client: Bus) {
  const arrived = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  let repeats = 0;
  client.onStanza((stanza) => {
    const id: string = stanza.attrs.id ?? "";
    if (!stanza.is("message")) return;
    if (arrived.has(id)) {
      repeats++;
      return;
    }
    const at = performance.now();
    arrived.set(id, at);
    waiting.get(id)?.(at);
    if (stanza.getChild("request", "urn:xmpp:receipts") === undefined) return;
    const receipt = xml("received", { xmlns: "urn:xmpp:receipts", id });
    void client.send(xml("message", { type: "chat", to: stanza.attrs.from }, receipt));
  });
  return {
    /** Messages that came again: none while nothing dies. */
    get repeats() {
      return repeats;
    },
    /** Resolves when the message has come, with the time (`performance.now()`). */
    of: (id: string): Promise<number> => {
      const at = arrived.get(id);
      if (at !== undefined) return Promise.resolve(at);
      return new Promise((resolve) => waiting.set(id, resolve));
    },
  };
}

/** Signs the user `name` up, connects a client for them, and subscribes them to the feed at `url`; resolves when all know it. */
export async function subscriber(stack: Stack, name: string, url: string): Promise<Bus> {
  const { client, token } = await onlineUser(stack, name);
  await post(stack, "/v1/subscriptions", { url }, token);
  return client;
}

/** Signs the user `name` up and connects a client for them; resolves when their avatar knows it, with a session's token. */
export async function onlineUser(stack: Stack, name: string): Promise<{ client: Bus; token: string }> {
  const account = { name, password: "bench bench bench" };
  await post(stack, "/v1/users", account);
  const { token } = await post<{ token: string }>(stack, "/v1/sessions", account);
  const authority = await readFile(join(stack.home, "ca.crt"), "utf8");
  setDefaultCACertificates([...getCACertificates("default"), authority]);
  const client = connectClient({
    url: `xmpp://127.0.0.1:${stack.ports.xmpp}`,
    domain: stack.domain,
    username: account.name,
    password: account.password,
    log: silentLog(),
  });
  if (!client.isOnline) await new Promise<void>((resolve) => client.onOnline(resolve));
  await client.send(xml("presence"));
  await present(stack, token);
  return { client, token };
}

async function present(stack: Stack, token: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const response = await fetch(`${stack.webUrl}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
    if (((await response.json()) as { presence: unknown[] }).presence.length > 0) return;
    await pause(50);
  }
  throw new Error("the client's presence never reached its avatar");
}

/** One request that goes well; what it was answered. */
export async function post<T>(stack: Stack, path: string, body: unknown, token?: string): Promise<T> {
  const response = await fetch(stack.webUrl + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}
