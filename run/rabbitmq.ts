import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "amqplib";
import { retryUntil } from "./answers.ts";
import { RABBITMQ_USER, RABBITMQ_VHOST, rabbitmqConfig, rabbitmqDefinitions } from "./rabbitmq-config.ts";
import { secretIn } from "./secrets.ts";
import type { ProcessSpec } from "./supervised.ts";

export interface RabbitmqOptions {
  readonly home: string;
  /** Makes the Erlang node's name this installation's own. */
  readonly tag: string;
  readonly port: number;
  readonly distributionPort: number;
  readonly epmdPort: number;
  /** Where it listens; loopback unless it has a network of its own. */
  readonly address?: string;
  /** The file with its password; in `home` when not given. */
  readonly passwordFile?: string;
}

/** Debian's server script. The one in /usr/sbin insists on root or on the user rabbitmq. */
const SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/** Writes the configuration below `home`, and describes the broker's process and the URL with its password. */
export function rabbitmq(options: RabbitmqOptions): { readonly spec: ProcessSpec; readonly url: string } {
  const folder = join(options.home, "rabbitmq");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { port, address = "127.0.0.1", passwordFile = join(folder, "password") } = options;
  const password = secretIn(passwordFile);
  writeCookie(folder);
  writeFileSync(join(folder, "definitions.json"), rabbitmqDefinitions(password), { mode: 0o600 });
  writeFileSync(
    join(folder, "rabbitmq.conf"),
    rabbitmqConfig(port, join(folder, "definitions.json"), address),
  );
  writeFileSync(join(folder, "enabled_plugins"), "[].\n");
  writeFileSync(join(folder, "env.conf"), "");
  const url = `amqp://${RABBITMQ_USER}:${password}@127.0.0.1:${port}/${RABBITMQ_VHOST}`;
  const spec: ProcessSpec = {
    name: "rabbitmq",
    command: SERVER,
    args: [],
    env: environment(folder, options),
    ipc: false,
    ready: (_, signal) => retryUntil(signal, () => answersAmqp(url)),
    readyWithinMs: 60_000,
  };
  return { spec, url };
}

/** Erlang reads the cookie from HOME, and refuses one that others may read. */
function writeCookie(folder: string): void {
  secretIn(join(folder, ".erlang.cookie"));
}

function environment(
  folder: string,
  { tag, port, distributionPort, epmdPort, address = "127.0.0.1" }: RabbitmqOptions,
): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LANG: "C.UTF-8",
    HOME: folder,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: `rabbit-${tag}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: address,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distributionPort),
    RABBITMQ_CONF_ENV_FILE: join(folder, "env.conf"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_CONFIG_FILES: join(folder, "conf.d"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, "advanced.config"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, "generated"),
    RABBITMQ_SCHEMA_DIR: join(folder, "schema"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "enabled_plugins"),
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_PID_FILE: join(folder, "pid"),
    RABBITMQ_MAX_NUMBER_OF_PROCESSES: "65536",
    ERL_MAX_PORTS: "8192",
    RABBITMQ_LOGS: "-",
    RUNNING_UNDER_SYSTEMD: "true",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: ERLANG_ARGUMENTS,
  };
}

/**
 * Distribution on loopback, no epmd of RabbitMQ's own, few threads and small tables. RUNNING_UNDER_SYSTEMD makes the script replace
 * itself by Erlang instead of waiting for it, so that the signal reaches Erlang, which then stops in order.
 */
const ERLANG_ARGUMENTS = "-start_epmd false -kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +SDcpu 1:1";

async function answersAmqp(url: string): Promise<void> {
  const connection = await connect(url, { timeout: 2_000 });
  await connection.close();
}
