/**
 * Listening ports that no setting names. Each state folder has a block of its own, found from a hash of the folder's
 * path, so that two installations on one machine do not collide; the block is kept in `<home>/ports.json` and chosen
 * again when a stranger has taken one of its ports in the meantime.
 */
import { createSocket } from "node:dgram";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { crc32 } from "node:zlib";

/** Below the range from which Linux takes the ports of outgoing connections (32768 and up). */
const FIRST = 20_000;
const BLOCK = 24;
const BLOCKS = 500;

const NAMES = [
  "usersS2s",
  "agentsComponent",
  "agentsS2s",
  "avatarsComponent",
  "avatarsS2s",
  "srv",
  "epmd",
  "amqp",
  "amqpDistribution",
  "dynamo",
  "web",
  "xmpp",
  "smtp",
  "sms",
  "mail",
  "control",
] as const;

type PortName = (typeof NAMES)[number];

/** `sms` hears the provider's callbacks, `mail` who unsubscribes, `control` the monitor; `web`, `xmpp` and `smtp` are used only where no other port is said or free. */
export type Ports = Readonly<Record<PortName, number>>;

/** A port that a setting names is taken. `message` says which variable to change. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
}

export type IsFree = (port: number) => Promise<boolean>;

/**
 * The ports of the state folder `home`, all of them free now. Rejects when no free block is found.
 */
export async function choosePorts(home: string, free: IsFree = isFree): Promise<Ports> {
  const file = join(home, "ports.json");
  const kept = readKept(file);
  if (kept && (await allFree(kept, free))) return kept;
  for (let attempt = 0; attempt < BLOCKS; attempt++) {
    const ports = blockOf(home, attempt);
    if (!(await allFree(ports, free))) continue;
    writeFileSync(file, `${JSON.stringify(ports, null, 2)}\n`);
    return ports;
  }
  throw new Error(`no ${NAMES.length} free ports in a row between ${FIRST} and ${FIRST + BLOCK * BLOCKS}`);
}

/** The block that `home` gets at try number `attempt` (from 0). */
export function blockOf(home: string, attempt: number): Ports {
  const block = (crc32(home) + attempt * 7) % BLOCKS;
  return Object.fromEntries(NAMES.map((name, index) => [name, FIRST + block * BLOCK + index])) as Ports;
}

/** Resolves when `port` can be had; rejects with {@link PortTaken} that names `variable` when it cannot. */
export async function mustBeFree(port: number, variable: string, free: IsFree = isFree): Promise<void> {
  if (await free(port)) return;
  throw new PortTaken(
    `port ${port} cannot be had: it is in use by another program or not allowed to this user; set ${variable} to a free port`,
  );
}

/** Whether nobody listens on `port` of the loopback address, TCP and UDP, and this user may. */
export async function isFree(port: number): Promise<boolean> {
  return (await tcpFree(port)) && (await udpFree(port));
}

function tcpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function udpFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => socket.close(() => resolve(false)));
    socket.bind({ port, address: "127.0.0.1", exclusive: true }, () => socket.close(() => resolve(true)));
  });
}

async function allFree(ports: Ports, free: IsFree): Promise<boolean> {
  const answers = await Promise.all(NAMES.map((name) => free(ports[name])));
  return answers.every(Boolean);
}

function readKept(file: string): Ports | null {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8"));
    return NAMES.every((name) => Number.isInteger(kept[name])) ? kept : null;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
