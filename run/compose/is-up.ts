/** For health checks: `node is-up.ts service`, or the ports of this container that are to answer. Exit code 0 when all is up. */
import { answersTcp } from "../answers.ts";
import { PORTS } from "./places.ts";

const asked = process.argv.slice(2);
if (asked[0] === "service") {
  const answer = await fetch(`http://127.0.0.1:${PORTS.metrics}/ready`);
  process.exit(answer.ok ? 0 : 1);
}
await Promise.all(asked.map((port) => answersTcp(Number(port))));
