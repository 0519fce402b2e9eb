/** RabbitMQ in its container, with the configuration of `npm start`. */
import { spawn } from "node:child_process";
import { answersTcp, retryUntil } from "../answers.ts";
import { epmd } from "../epmd.ts";
import { rabbitmq } from "../rabbitmq.ts";
import { runInForeground } from "./foreground.ts";
import { AMQP_PASSWORD_FILE, ANY_ADDRESS, DATA, PORTS } from "./places.ts";

const { command, args, env } = epmd(PORTS.epmd);
const names = spawn(command, args, { env, stdio: ["ignore", "inherit", "inherit"] });
await retryUntil(AbortSignal.timeout(10_000), () => answersTcp(PORTS.epmd));
const { spec } = rabbitmq({
  home: DATA,
  tag: "compose",
  port: PORTS.amqp,
  distributionPort: PORTS.amqpDistribution,
  epmdPort: PORTS.epmd,
  address: ANY_ADDRESS,
  passwordFile: AMQP_PASSWORD_FILE,
});
const code = await runInForeground(spec);
names.kill();
process.exit(code);
