/** How many mails are taken in a second, each on disk before its 250. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Stack } from "../run/stack.ts";
import type { ProcessSpec, Tell } from "../run/supervised.ts";
import { openZone } from "../test/theatre/zone.ts";
import { onlineUser, post } from "./client.ts";
import type { Figure } from "./figures.ts";
import { onStack } from "./installation.ts";
import { sendMails } from "./smtp-client.ts";

const MAILS = 5_000;
const CONNECTIONS = 20;

/** Mails as monitors send them. */
function messageOf(number: number): string {
  return [
    "From: Monitor <alerts@bench.example>",
    "To: somebody@bench.example",
    `Subject: Disk ${number} is full`,
    `Message-ID: <${number}@bench.example>`,
    "Date: Wed, 25 Nov 2026 07:12:00 +0000",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "The disk of db1 is full.",
    "",
    `https://monitor.bench.example/alerts/${number}`,
    ...Array.from({ length: 20 }, (_, line) => `${line}: ${"x".repeat(60)}`),
  ].join("\r\n");
}

/** Measures on an installation of its own, with a name server that says that nobody publishes anything of senders. */
export async function measureMails(tell: Tell): Promise<Figure[]> {
  const zone = await openZone();
  try {
    const adapt = (spec: ProcessSpec) =>
      spec.name === "ingest-email"
        ? {
            ...spec,
            env: { ...spec.env, TIDINGS_MAIL_DNS: zone.address, TIDINGS_SMTP_PER_MINUTE: "10000000" },
          }
        : spec;
    return await onStack(tell, { adapt }, (stack) => measure(tell, stack));
  } finally {
    await zone.close();
  }
}

async function measure(tell: Tell, stack: Stack): Promise<Figure[]> {
  tell("measuring a server that discards");
  const mailing = { to: "x@bench.example", count: MAILS, connections: CONNECTIONS, message: messageOf };
  const discard = new Worker(new URL("./discard-thread.ts", import.meta.url));
  const [port] = (await once(discard, "message")) as [number];
  await sendMails({ ...mailing, port, count: 500 });
  const raw = await sendMails({ ...mailing, port });
  await discard.terminate();
  const { client, token } = await onlineUser(stack, "reader");
  const { address } = await post<{ address: string }>(stack, "/v1/inboxes", { title: "bench" }, token);
  const ours = { ...mailing, to: address, port: stack.ports.smtp };
  await sendMails({ ...ours, count: 500, message: (number) => messageOf(MAILS + number) });
  tell(`sending ${MAILS} mails over ${CONNECTIONS} connections`);
  const value = await sendMails(ours);
  await client.stop();
  return [
    {
      name: "mails accepted, durable",
      value,
      unit: "/s",
      raw,
      beside: "raw: smtp-server with a discard; ours are parsed, checked for their senders and confirmed",
    },
  ];
}
