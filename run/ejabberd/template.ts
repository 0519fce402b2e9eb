/** Configuration files for ejabberd: YAML with placeholders in it. */

/** A template asks for a value that was not given, or a value was given that it does not ask for. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}

/** Each value is a piece of YAML; {@link quoted} makes one of a string. */
export type TemplateValues = Readonly<Record<string, string>>;

/**
 * `text` with each `"{{name}}"`, quotes included, replaced by its value: so the template itself is YAML. Throws
 * {@link TemplateError} when the names of both do not agree.
 */
export function renderTemplate(text: string, values: TemplateValues): string {
  const used = new Set<string>();
  const rendered = text.replace(/"\{\{(\w+)\}\}"/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new TemplateError(`the template asks for {{${name}}}, which has no value`);
    used.add(name);
    return value;
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new TemplateError(`the template does not ask for ${unused.join(", ")}`);
  return rendered;
}

/** `text` as a YAML string: JSON's strings are YAML's (YAML 1.2 §1.3). */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/**
 * What is wrong with the component listeners of an ejabberd configuration, one sentence each. With ejabberd's default
 * (`global_routes: true`) each component hears and may forge all domains of its listener.
 */
export function listenerProblems(configuration: string, listenAddress = "127.0.0.1"): string[] {
  return componentListeners(configuration).flatMap(({ line, text }) => {
    const problems: string[] = [];
    if (!/^\s+global_routes: false$/m.test(text)) problems.push(`line ${line}: global_routes is not false`);
    if (/^ {4}password:/m.test(text)) problems.push(`line ${line}: one password for all components`);
    if (!/^\s+max_stanza_size: \d+$/m.test(text)) problems.push(`line ${line}: max_stanza_size is not set`);
    if (!text.includes(`\n    ip: ${listenAddress}\n`))
      problems.push(`line ${line}: does not listen on ${listenAddress} only`);
    return problems;
  });
}

interface Listener {
  /** Line number of its first line, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The entries of `listen:` for components; an entry begins at a dash that is indented by at most two spaces. */
function componentListeners(configuration: string): Listener[] {
  const lines = configuration.split("\n");
  const starts = lines.flatMap((line, index) => (/^ {0,2}-(\s|$)/.test(line) ? [index] : []));
  return starts
    .map((start) => ({ line: start + 1, text: lines.slice(start, entryEnd(lines, start)).join("\n") }))
    .filter(({ text }) => text.includes("ejabberd_service"));
}

function entryEnd(lines: readonly string[], start: number): number {
  const end = lines.findIndex((line, index) => index > start && /^( {0,2}-(\s|$)|\w)/.test(line));
  return end < 0 ? lines.length : end;
}
