import { createHash } from "node:crypto";
import { type Element, xml } from "@tidings/protocol";
import { NS } from "./namespaces.ts";

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
  NS.discoInfo,
  NS.discoItems,
  NS.version,
  NS.markers,
  NS.ping,
  NS.receipts,
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

const VERSION = createHash("sha1")
  .update([`${AGENT.category}/${AGENT.type}//${NAME}`, ...AGENT_FEATURES].map((part) => `${part}<`).join(""))
  .digest("base64");
