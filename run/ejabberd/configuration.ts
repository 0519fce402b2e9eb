/** The values that the templates in ejabberd/ are filled with. */
import { addressesOf } from "@tidings/protocol";
import type { Certificate } from "./authority.ts";
import { type Role, roleDomain } from "./roles.ts";
import { quoted, type TemplateValues } from "./template.ts";

/** Listening ports on 127.0.0.1. */
export interface EjabberdPorts {
  readonly users: { readonly c2s: number; readonly s2s: number };
  readonly agents: { readonly component: number; readonly s2s: number };
  readonly avatars: { readonly component: number; readonly s2s: number };
  /** UDP port of the responder to SRV look-ups, which is started along with the nodes. */
  readonly srv: number;
  /** Port of an epmd that runs already. */
  readonly epmd: number;
}

export interface ConfigurationInput {
  readonly domain: string;
  readonly ports: EjabberdPorts;
  /** Where the nodes listen: loopback, or all of a container's own network. */
  readonly listenAddress: string;
  readonly pair: Certificate;
  /** Whether the users cluster's certificate comes from elsewhere, so that our authority does not vouch for it. */
  readonly isForeignPair: boolean;
  /** Path of what the cluster trusts. */
  readonly authority: string;
  /** Component domain → password. */
  readonly passwords: ReadonlyMap<string, string>;
}

/** The values for the template of `role`. */
export function templateValues(role: Role, input: ConfigurationInput): TemplateValues {
  return { ...commonValues(role, input), ...roleValues(role, input) };
}

function commonValues(
  role: Role,
  { domain, ports, pair, authority, listenAddress }: ConfigurationInput,
): TemplateValues {
  return {
    [role]: quoted(roleDomain(role, domain)),
    s2sPort: String(ports[role].s2s),
    listenAddress,
    certificate: quoted(pair.certificate),
    key: quoted(pair.key),
    authority: quoted(authority),
    agents: quoted(roleDomain("agents", domain)),
    agentsPattern: below(roleDomain("agents", domain)),
    users: quoted(roleDomain("users", domain)),
  };
}

function roleValues(
  role: Role,
  { domain, ports, passwords, isForeignPair }: ConfigurationInput,
): TemplateValues {
  const { avatars, silo, monitor, im, web, agents } = addressesOf(domain);
  const strangers = {
    avatars: quoted(avatars),
    avatarsPattern: below(avatars),
    certified: isForeignPair ? "avatars" : "installation",
  };
  switch (role) {
    case "users":
      return { ...strangers, c2sPort: String(ports.users.c2s), web: quoted(web) };
    case "agents":
      return {
        ...strangers,
        componentPort: String(ports.agents.component),
        components: componentMap(passwords),
        im: quoted(im),
      };
    case "avatars":
      return {
        componentPort: String(ports.avatars.component),
        components: componentMap(passwords),
        silo: quoted(silo),
        hosts: quoted(`hosts.${avatars}`),
        monitor: quoted(monitor),
        im: quoted(im),
        web: quoted(web),
        sms: quoted(`sms.${agents}`),
        mail: quoted(`mail.${agents}`),
        webhook: quoted(`webhook.${agents}`),
        inbound: quoted(`inbound.${agents}`),
      };
  }
}

/** Every domain below `domain`, as a regular expression for an ACL. */
function below(domain: string): string {
  return quoted(`\\.${domain.replaceAll(".", "\\.")}$`);
}

/** The map of a component listener's `hosts`, one component a line. */
function componentMap(passwords: ReadonlyMap<string, string>): string {
  const lines = [...passwords].map(
    ([component, password]) => `${quoted(component)}: { password: ${quoted(password)} }`,
  );
  return `{\n      ${lines.join(",\n      ")}\n    }`;
}
