/** What is typed survives a reload, a lost session and a mistake: it is kept for as long as the tab. */
import { type Signal, signal } from "@preact/signals";

const drafts = new Map<string, Signal<string>>();

/** The text of the field `name`; set it to "" when it was sent. */
export function draft(name: string, initial = ""): Signal<string> {
  const known = drafts.get(name);
  if (known !== undefined) return known;
  const key = `draft/${name}`;
  const made = signal(sessionStorage.getItem(key) ?? initial);
  made.subscribe((text) => {
    if (text === initial) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  });
  drafts.set(name, made);
  return made;
}
