import { createHash, randomBytes } from "node:crypto";

export const RABBITMQ_USER = "tidings";
export const RABBITMQ_VHOST = "tidings";

/** RabbitMQ's configuration (3.10 and 4.x): at `address` only, our user from `definitionsFile`, bounded memory and disk. */
export function rabbitmqConfig(port: number, definitionsFile: string, address = "127.0.0.1"): string {
  return `listeners.tcp.1 = ${address}:${port}
num_acceptors.tcp = 2
load_definitions = ${definitionsFile}
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 200MB
log.console = true
log.console.level = warning
log.file = false
`;
}

/**
 * Definitions with one user and one virtual host. Because they are given, RabbitMQ makes no `guest`. The hash is
 * base64(salt, sha256(salt, password)) with a salt of 4 bytes: RabbitMQ, "Passwords", rabbit_password_hashing_sha256.
 */
export function rabbitmqDefinitions(password: string, salt: Buffer = randomBytes(4)): string {
  const digest = createHash("sha256").update(salt).update(password).digest();
  return JSON.stringify({
    users: [
      {
        name: RABBITMQ_USER,
        password_hash: Buffer.concat([salt, digest]).toString("base64"),
        hashing_algorithm: "rabbit_password_hashing_sha256",
        tags: [],
        limits: {},
      },
    ],
    vhosts: [{ name: RABBITMQ_VHOST }],
    permissions: [{ user: RABBITMQ_USER, vhost: RABBITMQ_VHOST, configure: ".*", write: ".*", read: ".*" }],
  });
}
