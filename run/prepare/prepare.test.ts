import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const RUN = join(import.meta.dirname, "..");

let root: string;
let bin: string;

/** A checkout with nothing but the preparation, and a folder of programs that stand in for the machine's. */
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "prepare-"));
  bin = join(root, "machine");
  mkdirSync(bin);
  mkdirSync(join(root, "run"));
  cpSync(join(RUN, "prepare.mjs"), join(root, "run/prepare.mjs"));
  cpSync(join(RUN, "prepare"), join(root, "run/prepare"), { recursive: true });
  writeFileSync(join(root, "package-lock.json"), "{}");
});
afterEach(() => rmSync(root, { recursive: true }));

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

function run(...args: string[]) {
  const env = {
    ...process.env,
    PATH: `${bin}${delimiter}/usr/bin${delimiter}/bin`,
    TIDINGS_HOME: join(root, "home"),
  };
  return spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8" });
}

function evaluate(module: string, code: string) {
  const script = `import(${JSON.stringify(join(root, "run/prepare", module))}).then(async (m) => { ${code} })
    .catch((error) => { console.error(error.message); process.exit(1); })`;
  return run("-e", script);
}

const INSTALL = `await m.installNodeModules(${JSON.stringify("ROOT")}, "logs")`;
const install = () => evaluate("node-modules.mjs", INSTALL.replace("ROOT", root));

/** Stands in for npm: counts its calls, and brings a `node` that says `version`. */
function npmThatBrings(version: string): void {
  program(
    "npm",
    `echo called >> ${root}/calls; mkdir -p node_modules/.bin
printf '#!/bin/sh\\necho ${version}\\n' > node_modules/.bin/node; chmod 755 node_modules/.bin/node`,
  );
}

const calls = () => readFileSync(join(root, "calls"), "utf8").trim().split("\n").length;

test("an unknown task is answered with the usage", () => {
  const { status, stderr } = run(join(root, "run/prepare.mjs"), "dance");
  expect(status).toBe(1);
  expect(stderr).toContain("start|test|bench");
});

test("an old Node and another system are refused with a sentence", () => {
  const old = evaluate(
    "machine.mjs",
    'm.checkMachine({ platform: "linux", arch: "x64", version: "v18.1.0" })',
  );
  expect(old.stderr).toMatch(/Node 20 or newer/);
  const other = evaluate(
    "machine.mjs",
    'm.checkMachine({ platform: "darwin", arch: "arm64", version: "v26.1.0" })',
  );
  expect(other.stderr).toMatch(/docker compose up/);
});

test("node modules are installed once, and again when the lock file has changed", () => {
  npmThatBrings("v26.10.0");
  expect(install().stderr).toMatch(/node modules … \d+\.\d s/);
  expect(install().stderr).toBe("");
  expect(calls()).toBe(1);
  writeFileSync(join(root, "package-lock.json"), '{ "changed": true }');
  install();
  expect(calls()).toBe(2);
});

test("node modules that npm itself installed after the lock file was written are taken as they are", () => {
  mkdirSync(join(root, "node_modules/.bin"), { recursive: true });
  writeFileSync(join(root, "node_modules/.bin/node"), "#!/bin/sh\necho v26.0.0\n", { mode: 0o755 });
  writeFileSync(join(root, "node_modules/.package-lock.json"), "{}");
  program("npm", "exit 9");
  expect(install()).toMatchObject({ status: 0, stderr: "" });
});

test("a failed npm names its log", () => {
  program("npm", "echo no network; exit 1");
  const { status, stderr } = install();
  expect(status).toBe(1);
  expect(stderr).toContain("logs/npm-ci.log");
  expect(readFileSync(join(root, "logs/npm-ci.log"), "utf8")).toContain("no network");
});

test("an install that left Node 26 out is told apart, and tried again the next time", () => {
  npmThatBrings("v20.1.0");
  expect(install().stderr).toMatch(/should be Node 26 and says v20\.1\.0/);
  install();
  expect(calls()).toBe(2);
});

/** Runs the installation of one made-up package; what asks for root is root or a sudo that needs no password. */
function installPackage(missing: boolean, before = "") {
  const packages = [
    { name: "verona", files: [missing ? "/nowhere" : "/bin/sh"], units: ["verona"], tests: false },
  ];
  const options = JSON.stringify({ packages, policy: join(root, "policy-rc.d") });
  return evaluate("packages.mjs", `${before} await m.installPackages("start", "logs", ${options})`);
}

test("packages that are there are not asked for", () => {
  program("apt-get", "exit 9");
  program("sudo", "exit 9");
  expect(installPackage(false)).toMatchObject({ status: 0, stderr: "" });
});

test("while packages are installed their services may not start, and afterwards they may again", () => {
  program("sudo", 'shift; exec "$@"');
  program("apt-get", `sh ${root}/policy-rc.d; echo "$* policy says $?" >> ${root}/apt`);
  expect(installPackage(true).status).toBe(0);
  expect(readFileSync(join(root, "apt"), "utf8")).toMatch(
    / update policy says 101\n.* verona policy says 101\n$/,
  );
  expect(existsSync(join(root, "policy-rc.d"))).toBe(false);
});

test("a policy of the machine's own is left alone, also when the installation fails", () => {
  program("sudo", 'shift; exec "$@"');
  program("apt-get", "exit 100");
  writeFileSync(join(root, "policy-rc.d"), "mine");
  const { status, stderr } = installPackage(true);
  expect(status).toBe(1);
  expect(stderr).toContain("logs/apt.log");
  expect(readFileSync(join(root, "policy-rc.d"), "utf8")).toBe("mine");
});

test("who may not install is told exactly what to type", () => {
  program("sudo", "exit 1");
  const { status, stderr } = installPackage(true, "process.getuid = () => 1000;");
  expect(status).toBe(1);
  expect(stderr).toContain("sudo apt-get install --no-install-recommends verona");
});
