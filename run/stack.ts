/**
 * A whole installation on this machine, as `npm start`, the plays and the benchmarks use it.
 *
 *     lock ─▶ end what a killed run left ─▶ ports ─▶ epmd ─▶ ejabberd ×3, RabbitMQ, DynamoDB ─▶ services ─▶ /readyz
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { answersOk, retryUntil } from "./answers.ts";
import { Crew } from "./crew.ts";
import { dynalite } from "./dynalite.ts";
import { type Certificate, openAuthority } from "./ejabberd/authority.ts";
import { type Ejabberd, startEjabberd } from "./ejabberd/nodes.ts";
import { epmd } from "./epmd.ts";
import { openHome } from "./home.ts";
import { serveHostControl } from "./host-control.ts";
import { rememberStart } from "./last-start.ts";
import { killLeftovers } from "./leftovers.ts";
import { lockHome } from "./lock.ts";
import { buildPage } from "./page.ts";
import { choosePorts, isFree, mustBeFree, type Ports } from "./ports.ts";
import { rabbitmq } from "./rabbitmq.ts";
import { avatarHost, controlToken, type Surroundings, serviceProcesses } from "./services.ts";
import { type Plan, type StackOptions, withDefaults } from "./stack-options.ts";
import { StartFailed, type Supervised } from "./supervised.ts";
import { tagOf } from "./tag.ts";

/** Where mail comes in when nothing else is said. */
const SMTP_PORT = 2_525;

export interface Stack {
  readonly home: string;
  readonly domain: string;
  /** Address of the web page and of the REST interface, without a slash at its end. */
  readonly webUrl: string;
  /** All listening ports; `web` and `xmpp` are those in use, also where they were named. */
  readonly ports: Ports;
  /** The three nodes, with `kill(role)` and `restart(role)`, and the name server that tells them of each other. */
  readonly ejabberd: Ejabberd;
  readonly amqpUrl: string;
  readonly dynamoEndpoint: string;
  /** `xmpp://127.0.0.1:<port>` of a cluster's component listener. */
  busUrl(role: "agents" | "avatars"): string;
  /** File with the password of the component `componentDomain`. */
  passwordFile(componentDomain: string): string;
  /** A process by its name: `avatar-host-h1`, `ingest-rss`, `web-api`, `rabbitmq`, `dynalite` … Throws for an unknown one. */
  service(name: string): Supervised;
  /** Stops everything in order, within 15 s, and gives the state folder free. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts an installation. Resolves when all of it answers; rejects with a sentence for the person at the terminal
 * (HomeInUse, HomeTooNew, PortTaken, StartFailed …), and then nothing of it is left running.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const plan = withDefaults(options);
  openHome(plan.home);
  const lock = lockHome(plan.home);
  const crew = new Crew(plan.home, plan.tell);
  const stop = async () => {
    await crew.stop();
    lock.release();
  };
  const onAbort = () => void crew.stop();
  plan.signal.addEventListener("abort", onAbort);
  try {
    return await start(plan, crew, stop);
  } catch (error) {
    await stop();
    throw plan.signal.aborted ? new Error("the start was given up", { cause: error }) : error;
  } finally {
    plan.signal.removeEventListener("abort", onAbort);
  }
}

async function start(plan: Plan, crew: Crew, stop: () => Promise<void>): Promise<Stack> {
  await killLeftovers(plan.home);
  const ports = await portsOf(plan);
  rememberStart(plan.home, {
    TIDINGS_DOMAIN: plan.domain,
    TIDINGS_WEB_PORT: String(ports.web),
    TIDINGS_XMPP_PORT: String(ports.xmpp),
    TIDINGS_SMTP_PORT: String(ports.smtp),
    TIDINGS_DYNAMODB_ENDPOINT: plan.dynamoEndpoint,
  });
  plan.signal.throwIfAborted();
  const page = plan.services.includes("web-api") ? buildPage() : Promise.resolve(false);
  // It is waited for below; until then a failure must not be one that nobody heard.
  page.catch(() => undefined);
  await crew.start("ground", epmd(ports.epmd));
  const servers = await startServers(plan, ports, crew);
  if (await page) plan.tell("page             built");
  plan.signal.throwIfAborted();
  const webUrl = `http://localhost:${ports.web}`;
  await startServices(plan, ports, servers, crew);
  if (plan.services.includes("web-api")) await answersReady(webUrl, plan);
  plan.signal.throwIfAborted();
  return {
    home: plan.home,
    domain: plan.domain,
    webUrl,
    ports,
    ...servers,
    busUrl: (role) => servers.ejabberd.busUrls[role],
    passwordFile: servers.ejabberd.passwordFile,
    service: (name) => crew.member(name),
    stop,
  };
}

async function portsOf({ home, webPort, xmppPort, smtpPort, services, tell }: Plan): Promise<Ports> {
  const ports = await choosePorts(home);
  if (webPort !== "free") await mustBeFree(webPort, "TIDINGS_WEB_PORT");
  if (xmppPort !== "free") await mustBeFree(xmppPort, "TIDINGS_XMPP_PORT");
  const hasMail = services.includes("ingest-email");
  if (typeof smtpPort === "number" && hasMail) await mustBeFree(smtpPort, "TIDINGS_SMTP_PORT");
  const smtp = typeof smtpPort === "number" ? smtpPort : smtpPort === "free" ? ports.smtp : SMTP_PORT;
  const isTaken = smtpPort === "2525 or free" && hasMail && !(await isFree(SMTP_PORT));
  if (isTaken)
    tell(
      `port ${SMTP_PORT} is taken, so mail comes in on port ${ports.smtp}; TIDINGS_SMTP_PORT names another`,
    );
  return {
    ...ports,
    smtp: isTaken ? ports.smtp : smtp,
    web: webPort === "free" ? ports.web : webPort,
    xmpp: xmppPort === "free" ? ports.xmpp : xmppPort,
  };
}

interface Servers {
  readonly ejabberd: Ejabberd;
  readonly amqpUrl: string;
  readonly dynamoEndpoint: string;
}

async function startServers(plan: Plan, ports: Ports, crew: Crew): Promise<Servers> {
  const [ejabberd, amqpUrl, dynamoEndpoint] = await allOrErrors([
    startNodes(plan, ports, crew),
    startBroker(plan, ports, crew),
    startDatabase(plan, ports, crew),
  ]);
  return { ejabberd, amqpUrl, dynamoEndpoint };
}

/** As Promise.all, but rejects only when nothing is under way any more, with all that failed: what was started can be stopped. */
async function allOrErrors<T extends readonly unknown[]>(
  tasks: { [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  const results = await Promise.allSettled(tasks);
  const errors = results
    .filter((result) => result.status === "rejected")
    .map(({ reason }) => reason as Error);
  const [first] = errors;
  if (errors.length > 1)
    throw new StartFailed(errors.map(({ message }) => message).join("; "), { cause: first });
  return (await Promise.all(tasks)) as unknown as T;
}

async function startNodes(plan: Plan, ports: Ports, crew: Crew): Promise<Ejabberd> {
  return crew.startOther("servers", "ejabberd", () =>
    startEjabberd({
      home: plan.home,
      domain: plan.domain,
      tag: tagOf(plan.home),
      ports: {
        users: { c2s: ports.xmpp, s2s: ports.usersS2s },
        agents: { component: ports.agentsComponent, s2s: ports.agentsS2s },
        avatars: { component: ports.avatarsComponent, s2s: ports.avatarsS2s },
        srv: ports.srv,
        epmd: ports.epmd,
      },
      ...(plan.tlsDir === "" ? {} : { tlsDir: plan.tlsDir }),
      log: plan.tell,
    }),
  );
}

async function startBroker({ home, amqpUrl, adapt }: Plan, ports: Ports, crew: Crew): Promise<string> {
  if (amqpUrl !== "embedded") return amqpUrl;
  const { amqp: port, amqpDistribution: distributionPort, epmd: epmdPort } = ports;
  const { spec, url } = rabbitmq({ home, tag: tagOf(home), port, distributionPort, epmdPort });
  await crew.start("servers", await adapt(spec));
  return url;
}

async function startDatabase(
  { home, dynamoEndpoint, adapt }: Plan,
  ports: Ports,
  crew: Crew,
): Promise<string> {
  if (dynamoEndpoint !== "embedded") return dynamoEndpoint;
  const { spec, endpoint } = dynalite(home, ports.dynamo);
  await crew.start("servers", await adapt(spec));
  return endpoint;
}

async function startServices(plan: Plan, ports: Ports, servers: Servers, crew: Crew): Promise<void> {
  const around: Surroundings = {
    ...plan,
    ...servers,
    webPort: ports.web,
    xmppPort: ports.xmpp,
    publicUrl: plan.publicUrl,
    smsPort: ports.sms,
    mailPort: ports.mail,
    controlPort: ports.control,
    smtpPort: ports.smtp,
    mailCertificate: await mailCertificate(plan),
    busUrl: (role) => servers.ejabberd.busUrls[role],
    passwordFile: servers.ejabberd.passwordFile,
  };
  if (plan.services.includes("monitor")) await startHostControl(plan, ports, around, crew);
  const starts = plan.services.flatMap((kind) =>
    serviceProcesses(kind, plan.hosts, around).map(async (spec) =>
      crew.start(kind === "avatar-host" ? "hosts" : "front", await plan.adapt(spec)),
    ),
  );
  await allOrErrors(starts);
}

/** It stops with the front services, before the hosts: none is started then. */
async function startHostControl(plan: Plan, ports: Ports, around: Surroundings, crew: Crew): Promise<void> {
  await crew.startOther("front", "host-control", () =>
    serveHostControl({
      port: ports.control,
      token: controlToken(plan).token,
      members: () => crew.membersOf("avatar-host-"),
      start: async (host) => crew.start("hosts", await plan.adapt(avatarHost(host, around))),
      forget: (name) => crew.forget(name),
      tell: plan.tell,
    }),
  );
}

/** Of the operator's where there is one for the domain of mail, else of our own authority. */
async function mailCertificate({ home, mailDomain, tlsDir }: Plan): Promise<Certificate> {
  const own = { certificate: join(tlsDir, `${mailDomain}.crt`), key: join(tlsDir, `${mailDomain}.key`) };
  if (tlsDir !== "" && existsSync(own.certificate) && existsSync(own.key)) return own;
  return (await openAuthority(home)).issue("mail", [mailDomain]);
}

async function answersReady(webUrl: string, { home, signal }: Plan): Promise<void> {
  const late = AbortSignal.any([signal, AbortSignal.timeout(READY_WITHIN_MS)]);
  try {
    await retryUntil(late, () => answersOk(`${webUrl}/readyz`));
  } catch (cause) {
    const log = join(home, "logs", "web-api.log");
    throw new StartFailed(
      `${webUrl}/readyz did not answer 200 within ${READY_WITHIN_MS / 1_000} s; see ${log}`,
      { cause },
    );
  }
}

/** Longest time from the start of the services to the first good answer (milliseconds). */
const READY_WITHIN_MS = 30_000;
