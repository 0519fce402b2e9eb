/**
 * The commands of the chat as a menu (XEP-0050) with forms (XEP-0004): each has one field at most, so that one stage is
 * enough for every client. What is filled in becomes the words that the chat understands. Pure.
 */
import { type Element, xml } from "@tidings/protocol";
import { NS } from "./namespaces.ts";

const FIELD = "value";
/** As long as an address may be. */
const MAX_VALUE_CHARS = 2_000;

export interface MenuItem {
  /** The word of the chat; the node of the command. */
  readonly node: string;
  readonly name: string;
  /** What has to be filled in, and what is suggested; none when the word is enough. */
  readonly field?: { readonly label: string; readonly suggested: string };
}

export const MENU: readonly MenuItem[] = [
  { node: "list", name: "What you follow" },
  {
    node: "add",
    name: "Follow a page or feed",
    field: { label: "Address of the page or feed", suggested: "" },
  },
  { node: "remove", name: "Stop following", field: { label: "Number, as the list shows it", suggested: "" } },
  { node: "pause", name: "Hold everything", field: { label: "For how long (30m, 2h, 1d)", suggested: "2h" } },
  { node: "resume", name: "Go on after a pause" },
  { node: "ack", name: "Acknowledge the last notification" },
  {
    node: "snooze",
    name: "Put the last notification off",
    field: { label: "For how long (30m, 2h, 1d)", suggested: "1h" },
  },
  { node: "more", name: "The text behind the last notification" },
  { node: "why", name: "What became of the last notification" },
  { node: "help", name: "What else you can say" },
];

export interface Request {
  readonly item: MenuItem;
  readonly sessionId: string | null;
  /** `ask`: the form is wanted; `cancel`; else the words that were filled in. */
  readonly wish: "ask" | "cancel" | { readonly text: string };
}

/** Reads `<command>`; null when there is no such command. */
export function readRequest(command: Element): Request | null {
  const { node, action, sessionid } = command.attrs as Record<string, string | undefined>;
  const item = MENU.find((one) => one.node === node);
  if (item === undefined) return null;
  return { item, sessionId: sessionid ?? null, wish: action === "cancel" ? "cancel" : wishIn(command, item) };
}

function wishIn(command: Element, { node, field }: MenuItem): Request["wish"] {
  if (field === undefined) return { text: node };
  const form = command.getChild("x", NS.forms);
  if (form?.attrs.type !== "submit") return "ask";
  const filled = form.getChildren("field").find(({ attrs }) => attrs.var === FIELD);
  return { text: `${node} ${(filled?.getChildText("value") ?? "").slice(0, MAX_VALUE_CHARS)}` };
}

/** The form to fill in, with what was wrong with it before. */
export function asking({ node, name, field }: MenuItem, sessionId: string, problem: string | null): Element {
  return xml(
    "command",
    { xmlns: NS.commands, node, sessionid: sessionId, status: "executing" },
    xml("actions", { execute: "complete" }, xml("complete")),
    ...(problem === null ? [] : [xml("note", { type: "error" }, problem)]),
    xml(
      "x",
      { xmlns: NS.forms, type: "form" },
      xml("title", {}, name),
      xml(
        "field",
        { var: FIELD, type: "text-single", label: field?.label ?? name },
        xml("required"),
        ...(field === undefined || field.suggested === "" ? [] : [xml("value", {}, field.suggested)]),
      ),
    ),
  );
}

/** The end of a command, with a sentence for the user. */
export function ended(
  { node }: MenuItem,
  sessionId: string,
  status: "completed" | "canceled",
  note: { readonly type: "info" | "error"; readonly text: string } | null,
): Element {
  return xml(
    "command",
    { xmlns: NS.commands, node, sessionid: sessionId, status },
    ...(note === null ? [] : [xml("note", { type: note.type }, note.text)]),
  );
}

/** The menu (XEP-0050 §2.2), of the agent at `jid`. */
export function menuItems(jid: string, items: readonly MenuItem[]): Element {
  return xml(
    "query",
    { xmlns: NS.discoItems, node: NS.commands },
    ...items.map(({ node, name }) => xml("item", { jid, node, name })),
  );
}

/** What one command is, or the menu itself (XEP-0050 §2.2). */
export function menuInfo(node: string, item: MenuItem | undefined): Element {
  const identity =
    item === undefined
      ? { category: "automation", type: "command-list", name: "Tidings" }
      : { category: "automation", type: "command-node", name: item.name };
  return xml(
    "query",
    { xmlns: NS.discoInfo, node },
    xml("identity", identity),
    xml("feature", { var: NS.commands }),
    xml("feature", { var: NS.forms }),
  );
}
