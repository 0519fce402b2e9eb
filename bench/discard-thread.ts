/** An SMTP server that takes everything and keeps nothing: the raw limit of taking mail. */
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import { SMTPServer } from "smtp-server";

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["AUTH", "STARTTLS"],
  disableReverseLookup: true,
  onData: (stream, _session, callback) => stream.on("end", () => callback()).resume(),
});
server.listen(0, "127.0.0.1", () => parentPort?.postMessage((server.server.address() as AddressInfo).port));
