/**
 * IM accounts of the users cluster, made and ended by web-api: an IQ of type set to the users domain, answered by the
 * project's own ejabberd module there (`ejabberd/mod_tidings_accounts.erl`), which takes it only from the `web` agent.
 */
import xml, { type Element } from "@xmpp/xml";
import { payload } from "./payload.ts";

/**
 * Creates the account `name` and puts its agent contact in the roster, subscribed both ways. Answered with an empty
 * result, or with the error `conflict` when the account exists.
 */
export function createAccountStanza(
  from: string,
  users: string,
  id: string,
  name: string,
  password: string,
  agent: string,
): Element {
  return xml(
    "iq",
    { type: "set", from, to: users, id },
    payload("create-account", { name, password, agent, nick: "Tidings" }),
  );
}

/** Removes the account `name` with its roster and stored messages. Answered with an empty result, also when there is none. */
export function removeAccountStanza(from: string, users: string, id: string, name: string): Element {
  return xml("iq", { type: "set", from, to: users, id }, payload("remove-account", { name }));
}
