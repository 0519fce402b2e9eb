import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { templateValues } from "./configuration.ts";
import { componentDomains, ROLES, type Role } from "./roles.ts";
import { listenerProblems, quoted, renderTemplate, TemplateError } from "./template.ts";

const ports = {
  users: { c2s: 1, s2s: 2 },
  agents: { component: 3, s2s: 4 },
  avatars: { component: 5, s2s: 6 },
  srv: 7,
  epmd: 8,
};

async function rendered(role: Role): Promise<string> {
  const template = await readFile(join(import.meta.dirname, "../../ejabberd", `${role}.yml`), "utf8");
  const domain = "tidings.localhost";
  const passwords = new Map(
    componentDomains(role, domain).map((component) => [component, `secret of ${component}`]),
  );
  const pair = { certificate: '/home/it\'s "mine"/a.crt', key: "/a.key" };
  return renderTemplate(
    template,
    templateValues(role, {
      domain,
      ports,
      pair,
      isForeignPair: false,
      listenAddress: "127.0.0.1",
      authority: "/ca.crt",
      passwords,
    }),
  );
}

test.each(ROLES)(
  "the %s template asks for exactly the values that it gets, and nothing is left open",
  async (role) => {
    expect(await rendered(role)).not.toContain("{{");
  },
);

test.each(ROLES)("the %s cluster offers no login but SCRAM and takes no server without TLS", async (role) => {
  const text = await rendered(role);
  expect(text).toMatch(/^disable_sasl_mechanisms: \[PLAIN, DIGEST-MD5, X-OAUTH2\]$/m);
  expect(text).toMatch(/^auth_password_format: scram$/m);
  expect(text).toMatch(/^s2s_use_starttls: required$/m);
  expect(text).not.toMatch(/mod_register|mod_bosh|mod_http|ejabberd_http|web_admin/);
});

test.each(ROLES)("every listener of the %s cluster is on loopback", async (role) => {
  const text = await rendered(role);
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  expect(count(/^ {4}ip: 127\.0\.0\.1$/gm)).toBe(count(/^ {4}port: \d+$/gm));
});

test.each(ROLES)("the component listeners of the %s cluster pass the lint", async (role) => {
  expect(listenerProblems(await rendered(role))).toEqual([]);
});

test.each([
  ["global_routes: false", "global_routes: true", "global_routes is not false"],
  ["    global_routes: false\n", "", "global_routes is not false"],
  ["max_stanza_size: 524288", "max_stanza_size: infinity", "max_stanza_size is not set"],
  ["ip: 127.0.0.1", "ip: 0.0.0.0", "does not listen on 127.0.0.1 only"],
  ["    hosts:", "    password: all\n    hosts:", "one password for all components"],
])("the lint finds a component listener where %j is %j", async (right, wrong, problem) => {
  for (const role of ["agents", "avatars"] as const) {
    expect(listenerProblems((await rendered(role)).replace(right, wrong)).join()).toContain(problem);
  }
});

test("a path with quotes stays one string", async () => {
  expect(await rendered("users")).toContain(quoted('/home/it\'s "mine"/a.crt'));
});

test("a value too few and a value too many are both refused", () => {
  expect(() => renderTemplate('a: "{{b}}"', {})).toThrow(TemplateError);
  expect(() => renderTemplate("a: 1", { b: "2" })).toThrow(TemplateError);
  expect(renderTemplate('a: "{{b}}"', { b: "$& 2" })).toBe("a: $& 2");
});
