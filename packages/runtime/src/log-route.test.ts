import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { logTaps } from "./log.ts";
import { answerLog } from "./log-route.ts";

async function served(token: string | null): Promise<(query: string, shown?: string) => Promise<Response>> {
  const server = createServer((request, response) => answerLog(request, response, token)).listen(
    0,
    "127.0.0.1",
  );
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return (query, shown = "the token") =>
    fetch(`http://127.0.0.1:${port}/log${query}`, { headers: { authorization: `Bearer ${shown}` } });
}

test("lines come as they are written, from the level that was asked for", async () => {
  const ask = await served("the token");
  const answer = await ask("?level=warn");
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  logTaps.tell(30, '{"msg":"fine"}\n');
  logTaps.tell(40, '{"msg":"odd"}\n');
  expect((await reader?.read())?.value).toBe('{"msg":"odd"}\n');
  await reader?.cancel();
});

test("it is not there for who shows nothing, or when nobody may; nonsense is refused", async () => {
  const ask = await served("the token");
  expect((await ask("", "guess")).status).toBe(404);
  expect((await ask("?level=loud")).status).toBe(400);
  expect((await (await served(null))("", "null")).status).toBe(404);
});
