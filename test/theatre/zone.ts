/** A name server on loopback that knows the TXT records it is given, and nothing else. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decode, encode } from "dns-packet";

const NXDOMAIN = 3;

export interface Zone {
  /** As TIDINGS_MAIL_DNS takes it. */
  readonly address: string;
  /** Name → text; read at each question. */
  readonly records: Map<string, string>;
  close(): Promise<void>;
}

export async function openZone(): Promise<Zone> {
  const records = new Map<string, string>();
  const socket = createSocket("udp4");
  socket.on("message", (message, { port, address }) => {
    const { id = 0, questions = [] } = decode(message);
    const [question] = questions;
    const text = question?.type === "TXT" ? records.get(question.name.toLowerCase()) : undefined;
    const answers =
      text === undefined || question === undefined
        ? []
        : [{ type: "TXT" as const, name: question.name, ttl: 1, data: text.match(/.{1,200}/g) ?? [] }];
    const flags = answers.length === 0 ? NXDOMAIN : 0;
    socket.send(encode({ type: "response", id, flags, questions, answers }), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return {
    address: `127.0.0.1:${socket.address().port}`,
    records,
    close: () => new Promise((closed) => socket.close(() => closed())),
  };
}
