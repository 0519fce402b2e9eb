/**
 * Whether a machine wrote a mail, which nobody should answer: RFC 3834 §5, and older habits. `header` gives the first line
 * of that name (in lower case), name and all, or "".
 */
export function isFromMachine(header: (name: string) => string): boolean {
  const submitted = /^auto-submitted:\s*([a-z-]+)/i.exec(header("auto-submitted"))?.[1]?.toLowerCase();
  if (submitted !== undefined && submitted !== "no") return true;
  if (/^precedence:\s*(bulk|junk|list|auto_reply)\b/i.test(header("precedence"))) return true;
  if (/^return-path:\s*<>/i.test(header("return-path"))) return true;
  return ["x-autoreply", "x-autorespond", "list-id"].some((name) => header(name) !== "");
}
