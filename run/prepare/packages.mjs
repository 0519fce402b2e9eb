import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Refusal, runLogged, step } from "./step.mjs";

/** Where Debian has the libraries of this machine. */
const LIBRARIES = `/usr/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu`;

/** Debian packages, the files that show that they are there, and the services that they would switch on. */
const PACKAGES = [
  {
    name: "ejabberd",
    files: ["/usr/sbin/ejabberdctl", "/usr/bin/erl", "/usr/bin/epmd"],
    units: ["ejabberd", "epmd.socket", "epmd"],
    tests: false,
  },
  {
    name: "rabbitmq-server",
    files: ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
    units: ["rabbitmq-server"],
    tests: false,
  },
  // Node 26 is linked with it, and a machine with Node 20 alone need not have it.
  { name: "libatomic1", files: [`${LIBRARIES}/libatomic.so.1`], units: [], tests: false },
  { name: "openssl", files: ["/usr/bin/openssl"], units: [], tests: false },
  { name: "prosody", files: ["/usr/bin/prosody"], units: ["prosody"], tests: true },
  { name: "postfix", files: ["/usr/sbin/postfix"], units: ["postfix"], tests: true },
  { name: "chromium", files: ["/usr/bin/chromium"], units: [], tests: true },
  { name: "swaks", files: ["/usr/bin/swaks"], units: [], tests: true },
  {
    name: "prometheus",
    files: ["/usr/bin/promtool"],
    units: ["prometheus", "prometheus-node-exporter", "prometheus-node-exporter-apt.timer"],
    tests: true,
  },
];

/** While a file with this name says 101, packages do not start their services: invoke-rc.d(8). */
const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Installs the servers that are missing from Debian's packages, where this user may; else throws a Refusal that says
 * what to type. Services that come with the packages are neither started nor left to start with the machine.
 * @param {string} task start, test or bench; the plays of `test` also want a foreign XMPP server, a mail system and a browser
 * @param {string} logs folder for apt's log
 * @param {{ packages?: typeof PACKAGES, policy?: string }} others instead of Debian's, for tests
 */
export async function installPackages(task, logs, { packages = PACKAGES, policy = POLICY } = {}) {
  const missing = packages.filter(
    ({ tests, files }) => (!tests || task === "test") && !files.every((file) => existsSync(file)),
  );
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const become = rootPrefix();
  if (become === null || !existsSync("/usr/bin/apt-get")) throw new Refusal(advice(missing));
  await step(`Debian packages ${names.join(", ")}`, () =>
    install(missing, become, policy, join(logs, "apt.log")),
  );
}

/** How to run a command as root: directly, through sudo without a question, or not at all. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 ? ["sudo", "-n"] : null;
}

/** @param {typeof PACKAGES} missing */
function advice(missing) {
  const names = missing.map(({ name }) => name);
  const units = missing.flatMap((one) => one.units);
  return [
    `Tidings needs ${names.join(", ")}, and may not install packages here. On Debian or Ubuntu run`,
    "",
    `    sudo apt-get update && sudo apt-get install --no-install-recommends ${names.join(" ")}`,
    ...(units.length > 0 ? [`    sudo systemctl disable --now ${units.join(" ")}`] : []),
    "",
    "(Tidings runs copies of its own: the packages' services are not needed), then try again. Or use `docker compose up`.",
  ].join("\n");
}

/**
 * @param {typeof PACKAGES} packages
 * @param {readonly string[]} become
 * @param {string} policy
 * @param {string} logFile
 */
async function install(packages, become, policy, logFile) {
  /** @param {readonly string[]} command */
  const run = (...command) => {
    const [first, ...rest] = [...become, ...command];
    return runLogged(/** @type {string} */ (first), rest, { logFile });
  };
  const apt = [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-q",
    "-y",
    "-o",
    "DPkg::Lock::Timeout=120",
  ];
  const ownPolicy = !existsSync(policy);
  const release = holdSignals();
  try {
    if (ownPolicy)
      await run("sh", "-c", `printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod 755 ${policy}`);
    await run(...apt, "update");
    await run(...apt, "install", "--no-install-recommends", ...packages.map(({ name }) => name));
  } finally {
    if (ownPolicy) await run("rm", "-f", policy);
    release();
  }
  const units = packages.flatMap((one) => one.units).filter(isUnit);
  if (units.length > 0 && existsSync("/usr/bin/systemctl")) await run("systemctl", "disable", ...units);
}

/** Ctrl-C ends the command that runs, and with it the installation, but not before the policy is taken back. */
function holdSignals() {
  const hold = () => {};
  const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
  for (const signal of signals) process.on(signal, hold);
  return () => {
    for (const signal of signals) process.off(signal, hold);
  };
}

/** @param {string} unit */
function isUnit(unit) {
  const file = unit.includes(".") ? unit : `${unit}.service`;
  return ["/lib/systemd/system", "/usr/lib/systemd/system"].some((folder) => existsSync(join(folder, file)));
}
