/** `tidings doctor`: looks at everything that has to be right, and says what to do where it is not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Command, Misunderstood, type Surroundings } from "../command.ts";
import { type Ask, installationOf, operatorOf } from "../operator.ts";
import { withTable } from "../with-table.ts";
import { bad, type Finding, skipped } from "./finding.ts";
import { checkCertificates, checkMail, checkNames, checkWeb, type KnownPorts } from "./from-outside.ts";
import { checkTable } from "./table.ts";

interface InsideCheck {
  readonly name: string;
  readonly isGood: boolean;
  readonly found: string;
  readonly advice: string | null;
}

interface Status {
  readonly isWell: boolean;
  readonly sentence: string;
  readonly troubles: readonly string[];
}

/** Where mail comes in unless somebody has the port. */
const SMTP_PORT = 2_525;
const MARKS = { good: "ok  ", bad: "BAD ", skipped: "-   " } as const;

export const doctor: Command = {
  name: "doctor",
  summary:
    "Checks names, ports, certificates, clocks, links, queues and tables; exit code 1 when one is not right.",
  usage: "tidings doctor [--json]",
  examples: ["tidings doctor", "tidings doctor --json | jq 'map(select(.state == \"bad\"))'"],
  run: async (args, surroundings) => {
    if (args.some((arg) => arg !== "--json")) throw new Misunderstood(doctor);
    const findings = await examine(surroundings);
    if (args.includes("--json")) surroundings.out(JSON.stringify(findings));
    else for (const line of findings.flatMap(linesOf)) surroundings.out(line);
    return findings.some(({ state }) => state === "bad") ? 1 : 0;
  },
};

function linesOf({ name, state, found, advice }: Finding): string[] {
  const first = `${MARKS[state]} ${name.padEnd(18)} ${found}`;
  return advice === null ? [first] : [first, `     ${"".padEnd(18)} → ${advice}`];
}

async function examine(surroundings: Surroundings): Promise<Finding[]> {
  const { settings, base } = installationOf(surroundings);
  const ports = knownPorts(settings.TIDINGS_HOME);
  const web = await checkWeb(base);
  // Nothing runs: to look at the table would start one.
  const isThere = web[0]?.found.startsWith("nothing") === false;
  const [outside, inside, table] = await Promise.all([
    Promise.all([
      checkNames(settings),
      checkCertificates(settings, ports),
      checkMail(smtpPorts(settings.TIDINGS_SMTP_PORT, ports)).then((one) => [one]),
    ]),
    isThere ? fromInside(operatorOf(surroundings)) : [skipped("inside", "web-api is not there to be asked")],
    isThere ? ofTable(surroundings) : [skipped("table", "it is not asked while Tidings does not run")],
  ]);
  return [...web, ...outside.flat(), ...inside, ...table];
}

async function fromInside(ask: Ask): Promise<Finding[]> {
  try {
    const { items } = (await ask("GET", "/checks")) as { items: readonly InsideCheck[] };
    const checks = items.map(
      ({ isGood, ...check }): Finding => ({ ...check, state: isGood ? "good" : "bad" }),
    );
    return [...checks, ...(await ofStatus(ask))];
  } catch (error) {
    return [bad("inside", (error as Error).message, "Look in the log of web-api.")];
  }
}

async function ofStatus(ask: Ask): Promise<Finding[]> {
  const name = "status";
  const { isWell, sentence, troubles } = (await ask("GET", "/status")) as Status;
  const advice = "tidings hosts, queues and dead-letters list say more.";
  return [
    {
      name,
      state: isWell ? "good" : "bad",
      found: [sentence, ...troubles].join("; "),
      advice: isWell ? null : advice,
    },
  ];
}

async function ofTable(surroundings: Surroundings): Promise<Finding[]> {
  try {
    return await withTable(surroundings, false, checkTable);
  } catch (error) {
    const advice =
      "Look whether DynamoDB runs, and whether TIDINGS_DYNAMODB_ENDPOINT names it; avatars wait meanwhile.";
    return [bad("table", (error as Error).message, advice)];
  }
}

function smtpPorts(set: number | undefined, { smtp }: KnownPorts): readonly number[] {
  return set === undefined ? [SMTP_PORT, ...(smtp === undefined ? [] : [smtp])] : [set];
}

function knownPorts(home: string): KnownPorts {
  try {
    return JSON.parse(readFileSync(join(home, "ports.json"), "utf8")) as KnownPorts;
  } catch {
    return {};
  }
}
