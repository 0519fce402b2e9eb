import { CallError, type Element, errorElement, xml } from "@tidings/protocol";

/** The result that answers the request `iq`, with `child` when there is something to say. */
export function resultOf(iq: Element, child?: Element): Element {
  const { from, to, id } = iq.attrs;
  return xml("iq", { type: "result", from: to, to: from, id }, ...(child === undefined ? [] : [child]));
}

/**
 * The error that answers `stanza`, or null when it must not be answered, because an error or a result is never answered
 * with an error (RFC 6120 §8.3.1).
 */
export function errorTo(
  stanza: Element,
  error: Pick<CallError, "type" | "condition" | "message">,
): Element | null {
  const { from, to, id, type } = stanza.attrs;
  if (type === "error" || type === "result" || from === undefined) return null;
  return xml(
    stanza.name,
    { type: "error", from: to, to: from, ...(id === undefined ? {} : { id }) },
    errorElement(error),
  );
}

export const NO_SUCH_USER = new CallError("cancel", "item-not-found", "There is no such user.");
export const NOT_OFFERED = new CallError("cancel", "service-unavailable", "This is not offered here.");
export const NOT_NOW = new CallError("wait", "recipient-unavailable", "Please try again in a minute.");
