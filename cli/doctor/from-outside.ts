/** Checks that are made as a stranger would meet the installation: names, ports, certificates, and its clock. */
import { resolveSrv } from "node:dns/promises";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Settings } from "../../run/settings.ts";
import { bad, type Finding, findingOf, good, skipped } from "./finding.ts";
import { certificateAt } from "./starttls.ts";

const DAY_MS = 24 * 3_600_000;
/** A certificate that ends sooner is to be renewed now. */
const SOON_MS = 14 * DAY_MS;
/** More than this the clocks of two machines must not differ: TLS, codes and alarms go by them. */
const MOST_SKEW_MS = 2_000;
const WITHIN_MS = 5_000;

/** The ports of the state folder that no setting names (`ports.json`). */
export type KnownPorts = Readonly<Partial<Record<string, number>>>;

/** The web port, and how much its clock differs from this one. */
export async function checkWeb(base: string): Promise<Finding[]> {
  const started = Date.now();
  let answer: Response;
  try {
    answer = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(WITHIN_MS) });
  } catch {
    const advice = "Start Tidings, or set TIDINGS_WEB_PORT to its port.";
    return [
      bad("web", `nothing answers at ${base}`, advice),
      skipped("clock", "nobody says what time it is"),
    ];
  }
  const readiness = (await answer.json().catch(() => ({}))) as Readonly<Record<string, boolean>>;
  const missing = Object.keys(readiness).filter((part) => readiness[part] === false);
  const web = answer.ok
    ? good("web", `${base} answers, and is ready`)
    : bad(
        "web",
        `${base} waits for ${missing.join(", ") || "something"}`,
        "The checks below say what is away.",
      );
  return [web, clockFinding(answer.headers.get("date"), started, Date.now())];
}

/** HTTP's Date has whole seconds (RFC 9110 §6.6.1). */
function clockFinding(said: string | null, startedAt: number, endedAt: number): Finding {
  if (said === null) return skipped("clock", "web-api does not say what time it is");
  const at = Date.parse(said);
  const skewMs = Math.max(0, startedAt - (at + 1_000), at - endedAt);
  if (skewMs <= MOST_SKEW_MS) return good("clock", "the clocks of this machine and of web-api agree");
  const advice = "Have both set their clocks over the network (NTP): alarms and certificates go by them.";
  return bad(
    "clock",
    `web-api's clock differs by ${Math.round(skewMs / 1_000)} s from this machine's`,
    advice,
  );
}

/** SMTP greets whoever comes (RFC 5321 §3.1), at one of `ports`: it took another where the usual one was not free. */
export async function checkMail(ports: readonly number[]): Promise<Finding> {
  const advice = "Start Tidings, or set TIDINGS_SMTP_PORT to its port; inboxes get nothing meanwhile.";
  const found = await Promise.all(ports.map((port) => findingOf("mail port", () => greeting(port), advice)));
  return found.find(({ state }) => state === "good") ?? (found[0] as Finding);
}

async function greeting(port: number): Promise<Finding> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.setTimeout(WITHIN_MS, () => socket.destroy(new Error(`port ${port} does not greet`)));
  try {
    const [data] = (await once(socket, "data")) as [Buffer];
    const line = data.toString("latin1").split("\r\n", 1)[0] ?? "";
    if (!line.startsWith("220")) throw new Error(`port ${port} greets with ${line.slice(0, 80)}`);
    return good("mail port", `port ${port} takes mail`);
  } finally {
    socket.destroy();
  }
}

/** Each XMPP port shows a certificate for its domain that is believed and lasts. */
export async function checkCertificates(settings: Settings, ports: KnownPorts): Promise<Finding[]> {
  const domain = settings.TIDINGS_DOMAIN;
  const ca = readIfThere(join(settings.TIDINGS_HOME, "ca.crt"));
  const shown = [
    { name: "client port", port: settings.TIDINGS_XMPP_PORT, domain, as: "client" },
    { name: "s2s of users", port: ports.usersS2s, domain, as: "server" },
    { name: "s2s of agents", port: ports.agentsS2s, domain: `agents.${domain}`, as: "server" },
    { name: "s2s of avatars", port: ports.avatarsS2s, domain: `avatars.${domain}`, as: "server" },
  ] as const;
  return Promise.all(
    shown.map(({ name, port, ...server }) =>
      port === undefined
        ? skipped(name, "its port is not known here")
        : findingOf(name, () => certificateFinding({ name, port, ...server }, ca), ADVICE(port)),
    ),
  );
}

const ADVICE = (port: number) =>
  `Look in the log of that ejabberd node, and whether something else has port ${port}.`;

async function certificateFinding(
  { name, port, domain, as }: { name: string; port: number; domain: string; as: "client" | "server" },
  ca: string | undefined,
): Promise<Finding> {
  const { certificate, mistrust } = await certificateAt(port, domain, as, ca);
  const untilAt = Date.parse(certificate.valid_to);
  const until = new Date(untilAt).toISOString().slice(0, 10);
  const what = `port ${port} shows a certificate for ${domain} until ${until}`;
  if (mistrust !== null)
    return bad(
      name,
      `${what} that is not believed: ${mistrust}`,
      "Set TIDINGS_TLS_DIR to one that is, and restart.",
    );
  if (untilAt - Date.now() < SOON_MS) return bad(name, what, "Renew it, and restart.");
  return good(name, what);
}

/** Where other servers and clients look for the domain (RFC 6120 §3.2.1). */
export async function checkNames({ TIDINGS_DOMAIN: domain }: Settings): Promise<Finding[]> {
  if (domain === "localhost" || domain.endsWith(".localhost"))
    return [skipped("SRV", `${domain} is of this machine alone (RFC 6761 §6.3); nobody else looks for it`)];
  const records = [`_xmpp-client._tcp.${domain}`, `_xmpp-server._tcp.${domain}`];
  const others = ["agents", "avatars"].map((part) => `_xmpp-server._tcp.${part}.${domain}`);
  return Promise.all([...records, ...others].map(checkSrv));
}

function checkSrv(name: string): Promise<Finding> {
  const advice = `Publish ${name} IN SRV 0 0 <port> <host>; without it clients and servers try ports 5222 and 5269.`;
  const look = async () => {
    const found = await resolveSrv(name);
    return good("SRV", `${name} leads to ${found.map((one) => `${one.name}:${one.port}`).join(", ")}`);
  };
  return findingOf("SRV", look, advice);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
