/** What must lie in the state folder before the nodes start. */
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Authority, type Certificate, openAuthority } from "./authority.ts";
import { type EjabberdPorts, templateValues } from "./configuration.ts";
import { compileModules, findEjabberd } from "./erlang.ts";
import type { NodeSettings } from "./node-process.ts";
import { certificateNames, componentDomains, ROLES, type Role } from "./roles.ts";
import { secret } from "./secrets.ts";
import { listenerProblems, renderTemplate, TemplateError } from "./template.ts";

const SOURCES = join(import.meta.dirname, "../../ejabberd");

const LOOPBACK = "127.0.0.1";

export interface PrepareOptions {
  /** State folder of the installation, absolute. */
  readonly home: string;
  /** Base domain. */
  readonly domain: string;
  /** Part of the Erlang nodes' names, unique on this machine: letters and digits. */
  readonly tag: string;
  readonly ports: EjabberdPorts;
  /** Where the nodes listen; loopback unless they have a network of their own. */
  readonly listenAddress?: string;
  /** Folder with `<domain>.crt` and `<domain>.key` for the users cluster, instead of a certificate of our own authority. */
  readonly tlsDir?: string;
  /** ERL_LIBS, where another ejabberd than the system's is wanted. */
  readonly libraries?: string;
}

/**
 * Makes the certificates, the secrets, the compiled modules and the configuration of all nodes where they are missing or
 * no longer fit. Resolves with the settings to start each node. Rejects with a sentence that says what is missing.
 */
export async function prepare(options: PrepareOptions): Promise<Record<Role, NodeSettings>> {
  const { home, ports } = options;
  const root = join(home, "ejabberd");
  const libraries = options.libraries ?? (await findEjabberd());
  const modules = join(root, "modules");
  await mkdir(join(home, "logs"), { recursive: true });
  await mkdir(root, { recursive: true, mode: 0o700 });
  const [authority] = await Promise.all([
    openAuthority(home),
    compileModules(SOURCES, modules, libraries),
    secret(root, ".erlang.cookie"),
    writeFile(join(root, "inetrc"), resolverSettings(ports.srv)),
  ]);
  const common = {
    modules,
    libraries,
    resolverFile: join(root, "inetrc"),
    cookieHome: root,
    epmdPort: ports.epmd,
  };
  const settings = await Promise.all(
    ROLES.map(async (role): Promise<[Role, NodeSettings]> => {
      const folder = join(root, role);
      await writeConfiguration(role, folder, authority, options);
      const logFile = join(home, "logs", `ejabberd-${role}`, "ejabberd.log");
      return [
        role,
        {
          ...common,
          name: `${role}-${options.tag}`,
          folder,
          dataFolder: folder,
          logFile,
          ports: Object.values(ports[role]),
        },
      ];
    }),
  );
  return Object.fromEntries(settings) as Record<Role, NodeSettings>;
}

async function writeConfiguration(
  role: Role,
  folder: string,
  authority: Authority,
  options: PrepareOptions,
): Promise<void> {
  const { domain, ports, home, listenAddress = LOOPBACK } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const passwords = new Map<string, string>();
  for (const component of componentDomains(role, domain)) {
    passwords.set(component, await secret(join(home, "secrets"), component));
  }
  const pair = await certificateOf(role, authority, options);
  const template = await readFile(join(SOURCES, `${role}.yml`), "utf8");
  const isForeignPair = options.tlsDir !== undefined;
  const values = templateValues(role, {
    domain,
    ports,
    listenAddress,
    pair,
    isForeignPair,
    authority: authority.path,
    passwords,
  });
  const configuration = renderTemplate(template, values);
  const problems = listenerProblems(configuration, listenAddress);
  if (problems.length > 0) throw new TemplateError(`${role}.yml: ${problems.join("; ")}`);
  const path = join(folder, "ejabberd.yml");
  await writeFile(path, configuration, { mode: 0o600 });
  await chmod(path, 0o600);
}

async function certificateOf(
  role: Role,
  authority: Authority,
  options: PrepareOptions,
): Promise<Certificate> {
  const { tlsDir, domain } = options;
  if (role === "users" && tlsDir !== undefined) {
    return { certificate: join(tlsDir, `${domain}.crt`), key: join(tlsDir, `${domain}.key`) };
  }
  return authority.issue(role, certificateNames(role, domain));
}

/**
 * Erlang's resolver asks our responder alone. Without the first line the system's name server would answer before it;
 * addresses, unlike SRV records, are looked up through the operating system.
 */
function resolverSettings(srvPort: number): string {
  return `{resolv_conf, ""}.\n{nameserver, {127,0,0,1}, ${srvPort}}.\n{lookup, [file, native]}.\n`;
}
