/** JSON in a stanza (XEP-0335), in the project's own namespace. */
import xml, { type Element } from "@xmpp/xml";
import type { Static, TSchema } from "typebox";
import { MalformedError, parseAs } from "./schema.ts";

/** Namespace of everything the parts of Tidings say to each other. */
export const NS_BUS = "urn:tidings:bus:1";
/** XEP-0335: JSON Containers. */
export const NS_JSON = "urn:xmpp:json:0";

const NON_CHARACTERS = /[\ufffe\uffff]/g;

/** `<name xmlns="urn:tidings:bus:1" …><json xmlns="urn:xmpp:json:0">…</json></name>`; without `value` it has no child. */
export function payload(name: string, attributes: Record<string, string>, value?: unknown): Element {
  const json = value === undefined ? [] : [jsonElement(JSON.stringify(value))];
  return xml(name, { xmlns: NS_BUS, ...attributes }, ...json);
}

/**
 * `<json xmlns="urn:xmpp:json:0">` with `json`, text of JSON.stringify. That writes as escapes what XML 1.0 forbids, but for
 * two non-characters: one of them in a frame would be refused by the encoder, again and again, and its stream would stand.
 */
export function jsonElement(json: string): Element {
  const text = json.replace(NON_CHARACTERS, (found) => `\\u${found.charCodeAt(0).toString(16)}`);
  return xml("json", { xmlns: NS_JSON }, text);
}

/** The JSON in `element`, checked. Throws {@link MalformedError}. */
export function payloadOf<S extends TSchema>(schema: S, element: Element, what: string): Static<S> {
  const text = element.getChildText("json", NS_JSON);
  if (text === null) throw new MalformedError(`${what}: no JSON in <${element.name}>`);
  return parseAs(schema, text, what);
}

/** A whole number ≥ 0 in an attribute. Throws {@link MalformedError}. */
export function integerAttribute(element: Element, name: string): number {
  const value = Number(element.attrs[name]);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new MalformedError(`<${element.name}>: attribute ${name} is no whole number`);
  }
  return value;
}
