import { createHash } from "node:crypto";
import { type Element, xml } from "@tidings/protocol";
import { NS } from "./namespaces.ts";
import { reactionRestrictions } from "./reaction-set.ts";

const NODE = "https://tidings.example/agent";

interface Identity {
  readonly category: string;
  readonly type: string;
}

const NAME = "Tidings";
const AGENT: Identity = { category: "client", type: "bot" };
const GATEWAY: Identity = { category: "gateway", type: "xmpp" };

const AGENT_FEATURES: readonly string[] = [
  NS.caps,
  NS.chatStates,
  NS.commands,
  NS.discoInfo,
  NS.discoItems,
  NS.forms,
  NS.version,
  NS.markers,
  NS.ping,
  NS.reactions,
  NS.receipts,
  NS.reply,
  NS.time,
  NS.vcard,
].toSorted();

const GATEWAY_FEATURES: readonly string[] = [
  NS.discoInfo,
  NS.discoItems,
  NS.version,
  NS.ping,
  NS.time,
  NS.vcard,
].toSorted();

/** Who answers under `jid` and what it understands (XEP-0030 §3.1): a bot for a user, a gateway for the domain. */
export function discoInfo(node: string | undefined, isAgent: boolean): Element {
  const { category, type } = isAgent ? AGENT : GATEWAY;
  const features = isAgent ? AGENT_FEATURES : GATEWAY_FEATURES;
  return xml(
    "query",
    { xmlns: NS.discoInfo, ...(node === undefined ? {} : { node }) },
    xml("identity", { category, type, name: NAME }),
    ...features.map((feature) => xml("feature", { var: feature })),
    ...(isAgent ? [reactionRestrictions()] : []),
  );
}

/** The short form of the agent's features, for its presence (XEP-0115 §5.1). */
export function caps(): Element {
  return xml("c", { xmlns: NS.caps, hash: "sha-1", node: NODE, ver: VERSION });
}

/** Whether `node` names the agent's features, as a client asks after it has seen {@link caps}. */
export function isOwnNode(node: string): boolean {
  return node === `${NODE}#${VERSION}`;
}

/** XEP-0115 §5.1: identity, features, and the form with its fields and their values in order. */
const VERSION = createHash("sha1")
  .update(
    [`${AGENT.category}/${AGENT.type}//${NAME}`, ...AGENT_FEATURES, ...formParts(reactionRestrictions())]
      .map((part) => `${part}<`)
      .join(""),
  )
  .digest("base64");

function formParts(form: Element): string[] {
  const fields = form.getChildren("field").map((field) => ({
    name: String(field.attrs.var),
    values: field.getChildren("value").map((value) => value.getText()),
  }));
  const type = fields.find(({ name }) => name === "FORM_TYPE")?.values ?? [];
  const rest = fields.filter(({ name }) => name !== "FORM_TYPE").sort((a, b) => byOctets(a.name, b.name));
  return [...type, ...rest.flatMap(({ name, values }) => [name, ...values.toSorted(byOctets)])];
}

function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
