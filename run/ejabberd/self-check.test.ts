import { createServer, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { checkMechanisms, mechanismsIn, UnsafeMechanismsError } from "./self-check.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function answers(features: string): Promise<number> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.write(`<stream:stream><stream:features>${features}</stream:features>`);
  });
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}

test("mechanisms are read in the order of the offer", () => {
  const features = "<mechanisms><mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism></mechanisms>";
  expect(mechanismsIn(features)).toEqual(["SCRAM-SHA-1", "PLAIN"]);
  expect(mechanismsIn("<starttls/>")).toEqual([]);
});

test("a login offered before TLS is refused", async () => {
  const port = await answers("<mechanisms><mechanism>SCRAM-SHA-1</mechanism></mechanisms>");
  await expect(checkMechanisms("d.localhost", port, "")).rejects.toThrow(UnsafeMechanismsError);
});
