/** XML namespaces of what users' clients and servers say, each with the document that defines it. */
export const NS = {
  /** XEP-0004 */
  forms: "jabber:x:data",
  /** XEP-0012 */
  last: "jabber:iq:last",
  /** XEP-0030 */
  discoInfo: "http://jabber.org/protocol/disco#info",
  discoItems: "http://jabber.org/protocol/disco#items",
  /** XEP-0050 */
  commands: "http://jabber.org/protocol/commands",
  /** XEP-0054 */
  vcard: "vcard-temp",
  /** XEP-0085 */
  chatStates: "http://jabber.org/protocol/chatstates",
  /** XEP-0092 */
  version: "jabber:iq:version",
  /** XEP-0115 */
  caps: "http://jabber.org/protocol/caps",
  /** XEP-0184 */
  receipts: "urn:xmpp:receipts",
  /** XEP-0199 */
  ping: "urn:xmpp:ping",
  /** XEP-0202 */
  time: "urn:xmpp:time",
  /** XEP-0203 */
  delay: "urn:xmpp:delay",
  /** XEP-0308 */
  correction: "urn:xmpp:message-correct:0",
  /** XEP-0319 */
  idle: "urn:xmpp:idle:1",
  /** XEP-0333 */
  markers: "urn:xmpp:chat-markers:0",
  /** XEP-0334 */
  hints: "urn:xmpp:hints",
  /** XEP-0359 */
  stanzaIds: "urn:xmpp:sid:0",
  /** XEP-0393 */
  styling: "urn:xmpp:styling:0",
  /** XEP-0428 */
  fallback: "urn:xmpp:fallback:0",
  /** XEP-0444 */
  reactions: "urn:xmpp:reactions:0",
  /** XEP-0461 */
  reply: "urn:xmpp:reply:0",
  /** XEP-0511 */
  rdf: "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
  openGraph: "https://ogp.me/ns#",
} as const;
