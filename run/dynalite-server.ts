/** The embedded DynamoDB in a process of its own: `node dynalite-server.ts <port> <folder> [<address>]`. */
import { runService } from "@tidings/runtime";
import dynalite from "dynalite";
import { giveIteratorsReturn } from "./closing-iterators.ts";

giveIteratorsReturn();

await runService("dynalite", async ({ onStop, log }) => {
  const [port, path, host = "127.0.0.1"] = process.argv.slice(2);
  if (!port || !path) throw new Error("usage: dynalite-server.ts <port> <folder> [<address>]");
  const server = dynalite({ path, createTableMs: 0, updateTableMs: 0, deleteTableMs: 0 });
  // A client that takes up a connection as it is closed has its request answered by a reset. Only this installation connects.
  server.keepAliveTimeout = 0;
  onStop(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: Number(port), host }, resolve);
  });
  log.info({ port: Number(port), path }, "listening");
});
