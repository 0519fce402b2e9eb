/** What a reaction to a notification means (XEP-0444). Pure. */
import { type ChatDeed, type Element, xml } from "@tidings/protocol";
import { NS } from "./namespaces.ts";

const HOUR_MS = 3_600_000;
const MAX_ID_CHARS = 100;

/** The reactions that do something, one at a time. */
const DEEDS: Readonly<Record<string, ChatDeed>> = {
  "✅": { name: "ack" },
  "👍": { name: "ack" },
  "💤": { name: "snooze", forMs: HOUR_MS },
  "🔕": { name: "mute" },
};

export const ALLOWED =
  "Only one of ✅ or 👍 (ack), 💤 (snooze 1h) and 🔕 (mute the source) does something here.";

export interface Reaction {
  /** The id of the message that is reacted to. */
  readonly message: string;
  /** What it asks for; `takenBack`: there is no reaction any more; `notAllowed`: see {@link ALLOWED}. */
  readonly deed: ChatDeed | "takenBack" | "notAllowed";
}

/** The reaction in `message`; null when there is none. */
export function readReaction(message: Element): Reaction | null {
  const reactions = message.getChild("reactions", NS.reactions);
  const id: unknown = reactions?.attrs.id;
  if (reactions === undefined || typeof id !== "string" || id === "") return null;
  const emojis = new Set(reactions.getChildren("reaction").map((one) => withoutVariation(one.getText())));
  return { message: id.slice(0, MAX_ID_CHARS), deed: deedOf(emojis) };
}

function deedOf(emojis: ReadonlySet<string>): Reaction["deed"] {
  const [emoji, another] = emojis;
  if (emoji === undefined) return "takenBack";
  if (another !== undefined || !Object.hasOwn(DEEDS, emoji)) return "notAllowed";
  return DEEDS[emoji] ?? "notAllowed";
}

/** Some clients say by U+FE0F that it is to be shown as an emoji. */
function withoutVariation(emoji: string): string {
  return emoji.trim().replaceAll("\ufe0f", "");
}

/** How a client is told which reactions it may offer (XEP-0444 §2.2, as XEP-0128 extends the features). */
export function reactionRestrictions(): Element {
  const field = (name: string, values: readonly string[], type?: string) =>
    xml(
      "field",
      { var: name, ...(type === undefined ? {} : { type }) },
      ...values.map((value) => xml("value", {}, value)),
    );
  return xml(
    "x",
    { xmlns: NS.forms, type: "result" },
    field("FORM_TYPE", [`${NS.reactions}:restrictions`], "hidden"),
    field("allowlist", Object.keys(DEEDS)),
    field("max_reactions_per_user", ["1"]),
  );
}
