import { type Element, xml } from "@tidings/protocol";
import { client } from "@xmpp/client";
import { type Dialling, dial, type Entity, type LinkEvents } from "./dial.ts";

const NS_SM = "urn:xmpp:sm:3";
const NS_PING = "urn:xmpp:ping";

export interface Login {
  readonly url: string;
  readonly domain: string;
  readonly username: string;
  readonly password: string;
  readonly resource?: string;
}

/**
 * Logs in once. The library negotiates TLS, SASL and the resource; from then on it hears nothing, because it would answer
 * every request with service-unavailable. Stream management (XEP-0198) is left out: each connection is a new session, and
 * one to resume would only linger at the server, present and deaf.
 */
export function dialClient(
  { url, domain, username, password, resource }: Login,
  events: LinkEvents,
): Dialling {
  const entity = client({
    service: url,
    domain,
    username,
    password,
    ...(resource === undefined ? {} : { resource }),
  });
  entity.reconnect.stop();
  const negotiate = entity.listeners("element") as ((element: Element) => void)[];
  entity.removeAllListeners("element");
  let isOnline = false;
  entity.on("online", () => {
    isOnline = true;
  });
  entity.on("element", (element: Element) => {
    if (isOnline) return;
    if (element.getName() === "features") element.remove("sm", NS_SM);
    for (const listener of negotiate) listener.call(entity, element);
  });
  const answerPing = (ping: Element) => {
    const { from, id } = ping.attrs;
    entity.write(xml("iq", { type: "result", to: from, id }).toString()).catch(dialling.abort);
  };
  const dialling = dial(entity as unknown as Entity, url, domain, {
    ...events,
    onStanza: (stanza) => (isPing(stanza) ? answerPing(stanza) : events.onStanza(stanza)),
  });
  return dialling;
}

function isPing(stanza: Element): boolean {
  return (
    stanza.name === "iq" && stanza.attrs.type === "get" && stanza.getChild("ping", NS_PING) !== undefined
  );
}
